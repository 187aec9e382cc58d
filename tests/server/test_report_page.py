"""The page of a full study, and of studies with next to nothing: every part is there when its figures are."""

import csv
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from server.report.figures.calibration import SHOWN, even_bars
from server.report.figures.drawing import Scale, pixel, steps
from server.report.figures.plot import ticks
from server.report.page import page_sections
from server.report.results import Results
from server.report.sections.checklists import CHECKLISTS, items
from server.report.sections.plots import concordance
from server.report.tables import LISTS, flat_tables
from server.report.view import Estimate, Panel, View
from server.report.write import write_report
from tests.server.report_pieces import SIZES, TRAINERS
from tests.server.report_samples import FEW, PRIMARY, leave_one_out, sample_results
from tests.server.report_studies import all_null, full_study, no_external, one_hospital, without

SVG = "{http://www.w3.org/2000/svg}"
STUDIES = {
    "full": full_study,
    "no-external": no_external,
    "one-hospital": one_hospital,
    "all-null": all_null,
    "leave-one-out": leave_one_out,
    "without-privacy": lambda: sample_results(mechanism="none"),
}
SECTIONS = [
    "summary", "participants", "models", "roc", "calibration", "utility", "hospitals", "joining", "comparisons",
    "modalities", "survival", "readers", "published", "privacy", "limits", "model-card", "environment", "checklists",
]  # fmt: skip
PARTS = {  # sections by the lists that they are made from
    "roc": ("curves",), "calibration": ("calibration",), "utility": ("decisions",), "comparisons": ("comparisons",),
    "modalities": ("patterns", "pattern_figures"), "survival": ("survival",), "readers": ("readers",),
    "published": ("published",),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("full")
    write_report(full_study(), made)
    return made


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


class Elements(HTMLParser):
    """Closes every element in its turn, and collects identifiers and inner links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.ids += [told["id"]] if told.get("id") else []
        self.links += [told["href"]] if told.get("href") else []


@pytest.mark.parametrize("study", STUDIES)
def test_the_page_holds_together(study: str, tmp_path: Path) -> None:
    write_report(STUDIES[study](), tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    found = Elements(text)
    assert len(found.ids) == len(set(found.ids))
    assert {link.removeprefix("#") for link in found.links} <= set(found.ids)
    assert all(link.startswith("#") for link in found.links)
    assert set(re.findall(r"https?://[^\"'\s<)]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<script|<link|<img|<iframe|@import|javascript:|\son\w+=|url\((?!#)", text)
    assert not re.search(r"\b(nan|None|inf|True|False)\b", text)
    assert len(text.encode()) < 1_000_000
    numbered = [int(number) for number in re.findall(r"<b>Figure (\d+)\.", text)]
    assert numbered == list(range(1, len(numbered) + 1))


@pytest.mark.parametrize("study", STUDIES)
def test_the_same_study_gives_the_same_bytes(study: str, tmp_path: Path) -> None:
    written = []
    for name in ("first", "second"):
        write_report(STUDIES[study](), tmp_path / name)
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        written.append([(path.name, path.read_bytes()) for path in files])
    assert written[0] == written[1]


def test_a_full_study_has_every_section(page: str) -> None:
    assert re.findall(r'<h2 id="([\w-]+)">\d', page) == SECTIONS
    nav = page[page.index("<nav") : page.index("</nav>")]
    assert re.findall(r'href="#([\w-]+)"', nav) == SECTIONS
    assert "Not in this report" not in page


@pytest.mark.parametrize("part", PARTS)
def test_a_section_without_figures_is_left_out_and_told(part: str) -> None:
    keys = [section.key for section in page_sections(View(without(*PARTS[part])))]
    assert part not in keys
    assert [key for key in SECTIONS if key != part] == keys


def test_what_a_run_lacks_stands_in_one_sentence(tmp_path: Path) -> None:
    write_report(without("calibration", "decisions", "readers"), tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "no figures for it: calibration curves, decision curves, readers." in text


def test_every_drawing_is_an_svg_with_a_title(folder: Path, page: str) -> None:
    drawings = sorted((folder / "figures").glob("*.svg"))
    assert len(drawings) == 3 + 2 + 2 + 2 + 2 + 2 + 2  # ROC, calibration, decision, survival, rounds, forests, the rest
    for path in drawings:
        text = path.read_text(encoding="utf-8")
        root = ElementTree.fromstring(text)
        title = root.find(f"{SVG}title")
        assert title is not None
        assert title.text
        assert root.get("aria-labelledby") == title.get("id") == f"{path.stem}-title"
        assert text.strip() in page
        assert "nan" not in text


def test_words_stay_on_their_drawing(folder: Path) -> None:
    """By a generous guess of a letter's width, no text of a figure is cut off at its edges."""
    for path in (folder / "figures").glob("*.svg"):
        root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
        width, height = (float(value) for value in root.get("viewBox", "").split()[2:])
        for text in root.iter(f"{SVG}text"):
            size = float(text.get("font-size", 11))
            long = len(text.text or "") * size * 0.5
            left = float(text.get("x", 0)) - {"end": long, "middle": long / 2}.get(text.get("text-anchor", ""), 0)
            assert left > -6, (path.name, text.text)
            assert left + long < width + 6, (path.name, text.text)
            assert 0 < float(text.get("y", 0)) < height, (path.name, text.text)


def test_each_csv_has_the_rows(folder: Path) -> None:
    results = full_study()
    tables = flat_tables(results)
    assert {path.stem for path in (folder / "tables").glob("*.csv")} == {*tables, *CHECKLISTS}
    assert set(tables) == {*LISTS, "privacy", "rounds"}
    for name, rows in tables.items():
        with (folder / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            written = list(csv.DictReader(file))
        assert len(written) == len(rows)
        for line, row in zip(written, rows, strict=True):
            for column, value in row.items():
                shown = line[column]
                if isinstance(value, bool):
                    assert shown == ("true" if value else "false")
                elif isinstance(value, int | float):
                    assert float(shown) == value
                elif value is None:
                    assert shown == ""
                elif isinstance(value, str):
                    assert shown == value


def test_curves_are_flattened_point_by_point() -> None:
    results = full_study()
    tables = flat_tables(results)
    assert len(tables["curves"]) == sum(len(row.x) for row in results.curves)
    assert len(tables["survival"]) == sum(len(row.time) * len(row.groups) for row in results.survival)
    first, curve = tables["survival"][1], results.survival[0]
    assert (first["time"], first["survival"]) == (curve.time[1], curve.groups[0].survival[1])
    assert (first["group_name"], first["at_risk"], first["n"]) == ("low risk", 85, 180)


def test_a_full_study_tells_its_story(page: str) -> None:
    for sentence in (
        "Internal: AUC 0.853 (0.771–0.909) over 3 hospitals (random effects); another hospital: 0.660–0.940, "
        "unreliable with 3 or 4 hospitals.",
        "federated minus pooled −0.012 (−0.031 to 0.007), not inferior at a margin of 0.050.",
        "External: 214 patients; a precise figure would need more: O:E ratio 385, calibration slope 369.",
        "its interval reaches 0.5: no evidence that the model orders patients better than chance does.",
        "no whole-number table of 51 patients with 15 events gives these figures",
        "the most that all releases so far tell about one patient",
    ):
        assert sentence in page
    for site in TRAINERS[:2]:
        n, events = SIZES["internal", site]
        two = r"(\s*<td>.*?</td>){2}\s*"
        gain = rf'<th scope="row">{site}</th>{two}<td>\+0\.061<small>0\.008–0\.114</small></td>'
        assert re.search(rf"{gain}\s*<td class=\"number\">{n} / {events}</td>", page)


def test_a_weak_order_is_called_weak() -> None:
    panel = Panel("main", "external", "External")
    assert concordance(panel, Estimate(0.58, 0.52, 0.64, 100, 40)).endswith(
        ": weak. The model hardly tells who has the event earlier."
    )
    assert "weak" not in concordance(panel, Estimate(0.72, 0.66, 0.78, 100, 40))
    both = concordance(panel, Estimate(0.55, 0.48, 0.62, 100, 40))
    assert "weak" in both
    assert "no evidence" in both


def test_suppressed_cells_of_table_1_say_so(page: str) -> None:
    table = page[page.index('id="table-baseline"') :]
    row = re.search(r"subsite: subglottic</th>(.*?)</tr>", table, flags=re.DOTALL)
    assert row is not None
    assert f"–<small>{FEW}</small>" in row.group(1)
    assert "9\u00a0(2\u00a0%)" in row.group(1)


@pytest.mark.parametrize(("key", "count"), [("tripod_ai", 52), ("claim", 44)])
def test_checklists_are_whole_and_lead_somewhere(key: str, count: int, folder: Path) -> None:
    lines = items(key)
    assert len({item for item, _, _ in lines}) == len(lines) == count
    keys = {section.key for section in page_sections(View(full_study()))} | {"baseline"}
    assert {section for _, _, section in lines if section} <= keys
    text = (folder / "tables" / f"{key}.csv").read_text(encoding="utf-8")
    assert text.count("author must write") == sum(not section for _, _, section in lines)


def test_a_checklist_does_not_lead_to_what_is_not_there(tmp_path: Path) -> None:
    write_report(without("patterns", "pattern_figures", "characteristics"), tmp_path)
    text = (tmp_path / "tables" / "tripod_ai.csv").read_text(encoding="utf-8")
    assert "11,Missing data,author must write" in text
    assert '20b,"Characteristics, overall and by source",author must write' in text


def test_an_older_report_leaves_no_figure_behind(tmp_path: Path) -> None:
    write_report(full_study(), tmp_path)
    (tmp_path / "figures" / "mine.png").touch()
    write_report(one_hospital(), tmp_path)
    names = {path.name for path in (tmp_path / "figures").iterdir()}
    assert "cross-site.svg" not in names
    assert {"mine.png", "roc-internal.svg"} <= names


def test_another_measure_is_the_main_one(tmp_path: Path) -> None:
    full = full_study()
    study = full.study.model_copy(update={"measure": "c_index"})
    write_report(full.model_copy(update={"study": study}), tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "External: C-index 0.550 (95 % interval 0.470–0.630; n 214, 49 events)." in text


def test_bars_keep_their_patients() -> None:
    bars = even_bars((0.0, 0.05, 0.5, 1.0), (4, 9, None))
    assert bars[0] == pytest.approx(4)
    assert bars[1:10] == [pytest.approx(1)] * 9
    assert bars[10:] == [0.0] * (SHOWN - 10)


def test_scales_and_ticks() -> None:
    scale = Scale(0, 2, 100, 0)
    assert (scale(0), scale(1), scale(2)) == (100, 50, 0)
    assert ticks(0, 1, 4) == [0, 0.25, 0.5, 0.75, 1]
    assert ticks(-0.09, 0.45) == [0, 0.2, 0.4]
    assert steps([(0, 0), (1, 5)]) == [(0, 0), (1, 0), (1, 5)]
    assert (pixel(-0.01), pixel(2.0), pixel(2.25)) == ("0", "2", "2.2")


def test_primary_is_named_where_its_figures_are(page: str) -> None:
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page, flags=re.DOTALL)
    told = [caption for caption in captions if re.search(r"n \d+, \d+ events", caption)]
    assert len(told) >= 6
    assert sum(PRIMARY in caption for caption in captions) >= 5


def test_results_with_all_lists_survive_the_disk(tmp_path: Path) -> None:
    for make in STUDIES.values():
        make().write(tmp_path)
        assert Results.read(tmp_path) == make()
