"""The report of a run: one self-contained page, stable files, nothing undefined dressed up as a number."""

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from pydantic import ValidationError
from rich.console import Console

from server.report import wording
from server.report.books import PrivacyRecord
from server.report.console import summary_table
from server.report.results import FILE, Metric, Results
from server.report.side_by_side import blocks
from server.report.view import Column, Estimate, Place, View, mean
from server.report.write import write_report
from shared.errors import FileError
from tests.server.report_samples import FEW, MODELS, PRIMARY, TITLE, leave_one_out, sample_results

VOID = {"meta"}
SVG = "http://www.w3.org/2000/svg"


def written(results: Results, folder: Path) -> str:
    write_report(results, folder)
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(sample_results(), tmp_path_factory.mktemp("run"))


class Nesting(HTMLParser):
    """Every element is closed in its turn, and no identifier stands twice."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]


def test_the_page_fetches_and_runs_nothing(page: str) -> None:
    assert set(re.findall(r"https?://[^\"'\s<)]+", page)) == {SVG}
    assert not re.search(r"<script|<link|<img|<iframe|@import|javascript:|\son\w+=", page)
    assert not re.search(r"url\((?!#)", page)
    assert len(page.encode()) < 5_000_000


@pytest.mark.parametrize("results", [sample_results(), sample_results(mechanism="none"), leave_one_out()])
def test_the_page_is_well_formed(results: Results, tmp_path: Path) -> None:
    parser = Nesting()
    parser.feed(written(results, tmp_path))
    assert parser.open == []
    assert len(parser.ids) == len(set(parser.ids))


def test_tables_tell_what_their_headings_head(page: str) -> None:
    tables = re.findall(r"<table>.*?</table>", page, flags=re.DOTALL)
    assert len(tables) >= 8
    for table in tables:
        assert "<caption" in table
        assert 'scope="row"' in table
        assert not re.search(r"<th(?! scope=)[ >]", table)


@pytest.mark.parametrize(
    ("mechanism", "line"),
    [
        ("dp-sgd", "Training ε = 8.00 (δ = 1e-4) per patient, per run, at each hospital; "
         "validation figures are protected by aggregation, not by ε."),
        ("none", "No differential privacy: this study was run with mechanism = &#34;none&#34;."),
    ],
)  # fmt: skip
def test_the_first_line_is_about_privacy(mechanism: str, line: str, tmp_path: Path) -> None:
    page = written(sample_results(mechanism=mechanism), tmp_path)
    first = re.search(r"</h1>\s*<p[^>]*>(.*?)</p>", page)
    assert first is not None
    assert first.group(1) == line
    assert page.index(line) < page.index('id="warnings"') < page.index('id="summary"')


def test_unequal_spending_is_an_upper_bound() -> None:
    results = sample_results()
    less = (results.privacy.sites[0].model_copy(update={"epsilon": 7.5}), *results.privacy.sites[1:])
    uneven = results.model_copy(update={"privacy": results.privacy.model_copy(update={"sites": less})})
    assert wording.privacy_line(uneven).startswith("Training ε ≤ 8.00 ")


def test_the_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    contents = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        write_report(sample_results(), folder)
        sample_results().write(folder)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        contents.append({path.relative_to(folder): path.read_bytes() for path in files})
    assert contents[0] == contents[1]
    assert {str(path) for path in contents[0]} == {
        "report.html", "model_card.md", FILE,
        "figures/roc-train.svg", "figures/roc-internal.svg", "figures/roc-external.svg",
        "figures/flow.svg", "figures/forest-auc.svg", "figures/cross-site.svg",
        "tables/metrics.csv", "tables/cohorts.csv", "tables/cross_site.csv", "tables/privacy.csv",
        "tables/comparisons.csv", "tables/oracle.csv", "tables/published.csv", "tables/curves.csv",
        "tables/tripod_ai.csv", "tables/claim.csv",
    }  # fmt: skip


def test_what_is_undefined_says_why(page: str, tmp_path: Path) -> None:
    assert re.search(r'<td title="one class only">–<small>one class only</small></td>', page)
    crossed = re.search(r'<svg role="img" aria-labelledby="cross-site-title".*?</svg>', page, flags=re.DOTALL)
    assert crossed is not None
    assert re.search(rf">–</text>\n<text [^>]*>{FEW}</text>", crossed.group(0))
    assert re.search(rf'<td class="number" title="{FEW}">–<small>{FEW}</small></td>', page)
    assert "0.500" not in page
    assert not re.search(r"\b(nan|None|inf)\b", page)
    left_out = written(leave_one_out(), tmp_path)
    assert f"<small>{FEW}</small>" in left_out
    assert "the mean over 3 of 4 left-out hospitals" in left_out


def test_a_small_p_is_not_nought(page: str) -> None:
    assert "&lt; 0.001" in page
    assert "0.000" not in page
    assert wording.p_value(0.0012) == "0.001"


def test_a_hostile_title_is_text(tmp_path: Path) -> None:
    page = written(sample_results(title="<script>alert(1)</script>\"'&{{ 7*7 }}"), tmp_path)
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "{{ 7*7 }}" in page
    assert "<script" not in (tmp_path / "model_card.md").read_text(encoding="utf-8")


def test_protection_is_told_in_words(page: str) -> None:
    heading = re.search(r"AUC of every model.*?</thead>", page, flags=re.DOTALL)
    assert heading is not None
    columns = re.findall(r"<th[^>]*>(.*?)</th>", heading.group(0))
    assert columns == [
        "Model", "oracle<small>known truth</small>", "pooled<small>no privacy</small>",
        "federated<small>no privacy</small>", "federated<small>under privacy</small>",
        "alone<small>mean over hospitals</small><small>under privacy</small>", "n / events",
    ]  # fmt: skip


def test_alone_is_the_plain_mean_over_hospitals() -> None:
    view = View(sample_results())
    place = Place(PRIMARY, "main", "external")
    each = [view.figure(Column(arm, True), place).value for arm in ("alone:north", "alone:west")]
    both = view.figure(Column("alone", True), place)
    assert (both.value, both.of, both.n, both.events) == (pytest.approx(sum(filter(None, each)) / 2), 2, 114, 60)


def test_left_out_hospitals_that_report_nothing_are_not_averaged() -> None:
    figures = [Estimate(0.8, n=100, events=40), Estimate(None, reason=FEW), Estimate(0.9, n=100, events=40)]
    assert mean(figures, apart=True) == Estimate(pytest.approx(0.85), 0.8, 0.9, 200, 80, of=2)
    assert mean(figures[1:2], apart=True) == Estimate(None, reason=FEW)
    assert mean([Estimate(0.8), Estimate(0.8)], apart=True) == Estimate(0.8, of=2), "no range of nothing"
    titles = [block.title for block in blocks(View(leave_one_out()))]
    assert titles == [*(f"External, {name} left out" for name in ("cleveland", "hungary", "switzerland", "va")),
                      "External, mean of left-out hospitals"]  # fmt: skip


def test_figures_are_titled_drawings(page: str) -> None:
    drawings = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert len(drawings) == 6
    for drawing in drawings:
        name = re.match(r'<svg role="img" aria-labelledby="([\w-]+)-title"', drawing)
        assert name is not None
        assert re.search(rf'<title id="{name.group(1)}-title">[A-Z][^<]{{20,}}\.</title>', drawing)
    rocs = [drawing for drawing in drawings if 'aria-labelledby="roc-' in drawing]
    assert len(rocs) == 3
    for drawing in rocs:
        assert re.search(r"<title id=\"roc-\w+-title\">ROC curves\. .*binned, 38 bins", drawing)
        assert all(model in drawing for model in MODELS)


def test_an_empty_run_still_has_a_page(tmp_path: Path) -> None:
    nothing = {"metrics": (), "curves": (), "cross_site": (), "oracle": (), "comparisons": (), "published": ()}
    assert TITLE in written(sample_results().model_copy(update=nothing), tmp_path)


def test_results_survive_the_disk(tmp_path: Path) -> None:
    results = sample_results()
    results.write(tmp_path)
    assert Results.read(tmp_path) == results
    text = (tmp_path / FILE).read_text(encoding="utf-8")
    assert list(json.loads(text)) == [
        "schema", "study", "engine", "seed", "privacy", "cohorts", "characteristics", "patterns", "metrics",
        "comparisons", "cross_site", "meta", "pattern_figures", "readers", "sample_size", "oracle", "published",
        "curves", "calibration", "decisions", "survival", "seals", "releases", "warnings", "timing", "environment",
    ]  # fmt: skip
    assert text.startswith('{\n  "schema": "medley-results/1",\n  "study": {\n')
    assert "12.3456789012," in text  # 12 significant digits


def test_noise_in_the_last_bits_changes_nothing() -> None:
    rows = [
        Metric(model="ct", arm="pooled", private=False, cohort="train", site=None, metric="auc", n=50, events=20,
               estimate=estimate)
        for estimate in (0.1 + 0.2, 0.3)
    ]  # fmt: skip
    assert rows[0] == rows[1]


@pytest.mark.parametrize(
    ("old", "new"),
    [('"seed": 7', '"seed": NaN'), ('"seed": 7', '"seeds": 7'), ("results/1", "results/2"), ("{", "")],
)
def test_a_file_that_is_no_result_is_refused(old: str, new: str, tmp_path: Path) -> None:
    sample_results().write(tmp_path)
    path = tmp_path / FILE
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FileError, match=FILE):
        Results.read(tmp_path)


def test_undefined_without_reason_is_refused() -> None:
    row = sample_results().metrics[0].model_dump()
    for change in ({"estimate": None, "low": None, "high": None}, {"low": None}, {"low": 0.9, "high": 0.1},
                   {"estimate": float("nan")}, {"arm": "alone:<b>"}, {"fold": "../up"}):  # fmt: skip
        with pytest.raises(ValidationError):
            Metric(**{**row, **change})
    with pytest.raises(ValidationError):
        PrivacyRecord(mechanism="dp-sgd")


def test_tables_have_a_line_a_row(tmp_path: Path) -> None:
    results = sample_results()
    write_report(results, tmp_path)
    tables = {
        path.stem: list(csv.reader(path.read_text("utf-8").splitlines())) for path in (tmp_path / "tables").iterdir()
    }
    assert tables["metrics"][0] == list(Metric.model_fields)
    assert tables["privacy"][0] == ["site", "arm", "fold", "epsilon", "delta", "budget", "releases"]
    assert tables["cohorts"][0] == ["name", "site", "role", "fold", "n", "events", "excluded", "reason"]
    assert tables["cross_site"][0] == [
        "arm", "private", "trained_at", "site", "metric", "estimate", "low", "high", "n", "reason"
    ]  # fmt: skip
    assert len(tables["metrics"]) == len(results.metrics) + 1
    assert tables["cohorts"][-1] == ["external", "island", "evaluates", "main", "", "", "", FEW]


@pytest.mark.parametrize("results", [sample_results(), leave_one_out()])
def test_the_terminal_shows_the_table_in_112_columns(results: Results) -> None:
    console = Console(width=112, record=True, file=None, quiet=False)
    with console.capture() as capture:
        console.print(summary_table(results))
    text = capture.get()
    lines = [line.rstrip() for line in text.splitlines()]
    assert max(map(len, lines)) <= 112
    assert "…" not in text
    assert "federated" in text
    heads = [line.split()[-2:] for line in lines[1:4]]
    assert heads == [["federated", "alone"], ["under", "under"], ["privacy", "privacy"]]
    assert "Training ε = 8.00" in text
    sizes = [line for line in lines if re.fullmatch(r"\d+ / \d+ events", line)]
    assert len(sizes) == len([row for row in blocks(View(results)) if "switzerland" not in row.title])
    ranges = [line for line in lines if re.search(r"0\.\d{3}–0\.\d{3}", line)]
    assert ranges
    assert all(line.startswith("+laryngoscopy") for line in ranges), "the primary model alone has its intervals"
