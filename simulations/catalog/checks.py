"""What must hold of a finished study: a main figure, no warning, and a report that opens and says what was inferred."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from simulations.catalog.lines import Line

VOID = {"meta", "link", "br", "hr", "img", "col", "input", "wbr"}  # elements that have no end
REPORT = "report.html"
LEAK = ("suspiciously good",)  # in a warning that a study with a leak is to have


class Page(HTMLParser):
    """An HTML page's text, and the first place where its elements do not close as they opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.fault = ""
        self.feed(text)
        self.close()
        if self.open and not self.fault:
            self.fault = f"<{self.open[-1]}> is never closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element without content, as in drawings."""

    def handle_endtag(self, tag: str) -> None:
        """An element ends; it must be the one that began last."""
        if self.open and self.open[-1] == tag:
            self.open.pop()
        elif not self.fault:
            self.fault = f"</{tag}> on line {self.getpos()[0]} closes nothing"

    def handle_data(self, data: str) -> None:
        """Text between elements."""
        self.words.append(data)

    @property
    def text(self) -> str:
        """All text, blanks run together."""
        return " ".join(" ".join(self.words).split())


def faults_of(line: Line, folder: Path, tells: bool = True) -> Iterator[str]:
    """What is wrong with a study that ran to its end; whether it must tell a figure where the hospitals withhold it."""
    if line.federated is None and line.private is None and (tells or not line.withheld):
        yield f"no main figure ({line.metric}{': ' * bool(line.withheld)}{line.withheld})"
    wanted = LEAK if line.leaks else ()
    yield from (f"warning: {text}" for text in line.warnings if not any(words in text for words in wanted))
    try:
        page = Page((folder / REPORT).read_text(encoding="utf-8"))
    except OSError:
        yield f"no {REPORT}"
        return
    if page.fault:
        yield f"{REPORT}: {page.fault}"
    if "Traceback" in page.text:
        yield f"{REPORT}: a traceback in it"
    for sentence in line.inferred:
        if sentence not in page.text:
            yield f'{REPORT}: does not say what was inferred, as "{sentence}"'
