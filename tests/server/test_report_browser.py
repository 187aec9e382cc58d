"""The page in a real browser: nothing sticks out on a phone, on a desktop and on paper; it prints to A4."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from server.report.write import write_report
from tests.server.report_samples import leave_one_out
from tests.server.report_studies import full_study

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium here (apt-get install chromium)")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
# Measures copies of the page in frames of three widths, as a window cannot be narrow enough; the page's own policy lets
# no script run, so the copies have none. What scrolls in a box of its own may be wide.
PROBE = """<script>addEventListener("load", () => {
const boxes = ".scroll, .wide .panels", all = what => [...document.querySelectorAll(what)];
const out = all("body *").filter(e => !e.closest(boxes) && e.getBoundingClientRect().right > innerWidth + 1);
const cut = all(boxes).filter(e => e.scrollWidth > e.clientWidth + 1);
const names = [...out, ...cut].map(e => e.tagName + "." + e.className).slice(0, 5).join(" ");
const wide = document.documentElement.scrollWidth;
parent.postMessage([name, wide, innerWidth, out.length, cut.length, names].join("|"), "*");
});</script>"""
FRAMES = """<title></title><script>addEventListener("message", e => { document.title += e.data + ";"; });</script>"""
PAPER = 672  # pixels across A4 between the margins
WIDTHS = {"phone": 390, "desktop": 1280, "paper": PAPER}


@dataclass(frozen=True)
class Measured:
    """Of a page in a frame: how wide its content and the frame are, what sticks out, how many boxes scroll."""

    content: int
    window: int
    out: int
    boxes: int
    names: str


@pytest.fixture(scope="module", params=[full_study, leave_one_out], ids=["full", "leave-one-out"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = tmp_path_factory.mktemp("page")
    write_report(request.param(), made)
    return made


def browse(profile: Path, *words: str) -> str:
    assert BROWSER
    call = [BROWSER, *QUIET, f"--user-data-dir={profile}", *words]
    return subprocess.run(call, capture_output=True, text=True, timeout=120, check=True).stdout


@pytest.fixture(scope="module")
def measures(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Measured]:
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert text.count("Content-Security-Policy") == 1
    text = re.sub(r"<meta http-equiv[^>]*>", "", text).replace("</head>", f"{PROBE}</head>")
    frames = FRAMES
    for name, width in WIDTHS.items():
        copy = text.replace("@media print {", "@media all {") if name == "paper" else text
        (folder / f"{name}.html").write_text(copy, encoding="utf-8")
        frames += f'<iframe name="{name}" src="{name}.html" width="{width}" height="900" style="border:0"></iframe>'
    (folder / "frames.html").write_text(frames, encoding="utf-8")
    words = ("--window-size=1400,900", "--virtual-time-budget=5000", "--dump-dom", (folder / "frames.html").as_uri())
    shown = browse(tmp_path_factory.mktemp("profile"), *words)
    lines = re.findall(r"(phone|desktop|paper)\|(\d+)\|(\d+)\|(\d+)\|(\d+)\|([^;]*);", shown[: shown.index("</title>")])
    return {name: Measured(*map(int, numbers), names) for name, *numbers, names in lines}


@pytest.mark.parametrize("name", WIDTHS)
def test_nothing_sticks_out_of_the_page(name: str, measures: dict[str, Measured]) -> None:
    found = measures[name]
    assert found.window == WIDTHS[name]
    assert found.out == 0, found.names
    assert found.content <= found.window
    if name == "paper":
        assert found.boxes == 0, f"cut off on paper: {found.names}"
    if name == "desktop":
        assert found.boxes <= 1, f"on a desktop tables fit: {found.names}"


def test_it_prints_to_a4(folder: Path, tmp_path: Path) -> None:
    browse(
        tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={folder / 'report.pdf'}", (folder / "report.html").as_uri()
    )
    document = (folder / "report.pdf").read_bytes()
    boxes = set(re.findall(rb"/MediaBox \[([\d. ]+)\]", document))
    assert len(boxes) == 1
    left, bottom, right, top = map(float, boxes.pop().split())
    assert (left, bottom) == (0, 0)
    assert (right, top) == (pytest.approx(595.3, abs=1), pytest.approx(841.9, abs=1))
    assert 5 <= document.count(b"/Type /Page\n") <= 25
