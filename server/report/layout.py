"""The plain parts that a report page is laid out from: sections, tables, figures."""

from dataclasses import dataclass

from server.report import wording
from server.report.view import Estimate

MARKS = "ᵃᵇᶜᵈᵉᶠᵍʰ"  # of footnotes
THIRD, HALF, WIDE = "third", "half", "wide"


@dataclass(frozen=True)
class Cell:
    """A cell: its text, lines of small type under it, whether it stands out or back, the section that it leads to."""

    text: str
    small: tuple[str, ...] = ()
    strong: bool = False
    number: bool = False
    soft: bool = False
    link: str = ""


@dataclass(frozen=True)
class Group:
    """Rows under a common heading (empty: none); the first cell of a row is its heading."""

    title: str
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Table:
    """A table with its caption above and its notes below."""

    key: str
    caption: str
    head: tuple[Cell, ...]
    groups: tuple[Group, ...]
    notes: tuple[str, ...] = ()
    compact: bool = False  # a long list in small type


@dataclass(frozen=True)
class Drawn:
    """An SVG document and the name of its file."""

    name: str
    svg: str


@dataclass(frozen=True)
class Figure:
    """Drawings under one title and caption; ``form`` says how many lie abreast where the page is wide."""

    key: str
    title: str
    panels: tuple[Drawn, ...]
    caption: str
    form: str = THIRD


@dataclass(frozen=True)
class Section:
    """A section of the page: terms, then paragraphs, figures, tables, points."""

    key: str
    title: str
    terms: tuple[tuple[str, tuple[str, ...]], ...] = ()
    paragraphs: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    points: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether it has nothing to show; it is then left out."""
        return not (self.terms or self.paragraphs or self.figures or self.tables or self.points)


def estimate_cell(figure: Estimate, metric: str, sized: bool = False) -> Cell:
    """A figure over its interval (a mean over its range), or a dash over the reason; ``sized`` adds n / events."""
    if figure.value is None:
        return Cell(wording.DASH, (figure.reason or "",))
    lines = []
    if figure.low is not None and figure.high is not None:
        ends = wording.interval(figure.low, figure.high, metric)
        lines += ["range", ends] if figure.of else [ends]
    elif figure.reason:
        lines.append(figure.reason)
    if sized and figure.n is not None:
        lines.append(f"n {wording.counts(figure.n, figure.events)}")
    return Cell(wording.number(figure.value, metric), tuple(lines))


class Footnotes:
    """The reasons for what is undefined in a table, each once below it, with its mark at the dash in the cell."""

    def __init__(self) -> None:
        self._marks: dict[str, str] = {}

    def cell(self, figure: Estimate, metric: str) -> Cell:
        """A figure over its interval, or a dash with the mark of the reason; what was not run has no mark."""
        if figure.value is not None:
            return estimate_cell(figure, metric)
        if not figure.reason or figure.reason == wording.NOT_RUN:
            return Cell(wording.DASH)
        mark = self._marks.setdefault(figure.reason, MARKS[len(self._marks) % len(MARKS)])
        return Cell(wording.DASH + mark)

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines that say what the marks mean."""
        return tuple(f"{mark} {reason}" for reason, mark in self._marks.items())


def head(*texts: str) -> tuple[Cell, ...]:
    """Column headings of text columns."""
    return tuple(Cell(text) for text in texts)
