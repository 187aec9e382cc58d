"""``python -m server``: a report again from results.json, two runs side by side; and a run in a notebook."""

import subprocess
import sys
from pathlib import Path

import pytest

from server.report.compare import comparison
from server.report.frames import load
from server.report.write import write_report
from shared.errors import FileError
from tests.server.report_samples import PRIMARY, sample_results
from tests.server.report_studies import full_study

ROOT = Path(__file__).parents[2]


def called(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "server", *words], capture_output=True, text=True, cwd=ROOT, check=False
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("results")
    for name, results in {"first": sample_results(), "second": sample_results(mechanism="none")}.items():
        (folder / name).mkdir()
        results.write(folder / name)
    return folder / "first", folder / "second"


def test_a_report_is_rebuilt_from_its_results(runs: tuple[Path, Path], tmp_path: Path) -> None:
    write_report(sample_results(), tmp_path)
    before = (runs[0] / "results.json").read_bytes()
    answer = called("report", str(runs[0]))
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == f"Report: {runs[0] / 'report.html'}\n"
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for path, content in made.items():
        assert (runs[0] / path).read_bytes() == content
    assert (runs[0] / "results.json").read_bytes() == before


@pytest.mark.parametrize("words", [("report",), ("compare",)])
def test_a_folder_without_results_is_told_in_a_sentence(words: tuple[str], tmp_path: Path) -> None:
    answer = called(*words, *[str(tmp_path / "nowhere")] * (2 if words == ("compare",) else 1))
    assert answer.returncode == 2
    assert answer.stderr == (
        "nowhere: no results.json in it can be read (name a run's folder, as results/STUDY-TIME)\n"
    )


def test_a_broken_file_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text('{"schema": "medley-results/1"}', encoding="utf-8")
    answer = called("report", str(tmp_path))
    assert answer.returncode == 2
    assert "results.json: study: is missing (add it)" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_two_runs_stand_side_by_side(runs: tuple[Path, Path]) -> None:
    answer = called("compare", *map(str, runs))
    assert answer.returncode == 0
    assert max(map(len, answer.stdout.splitlines())) <= 112
    for words in ("first", "second", "seed", "same", "B minus A", "External, federated (no privacy)"):
        assert words in answer.stdout


def test_a_comparison_subtracts_the_first_from_the_second() -> None:
    first = sample_results()
    rows = tuple(
        row.model_copy(update={"estimate": row.estimate + 0.05, "low": None, "high": None}) if row.estimate else row
        for row in first.metrics
    )
    facts, figures = comparison(("a", "b"), (first, first.model_copy(update={"metrics": rows, "seed": 8})))
    differing = {row[0].text for row in facts.groups[0].rows if row[2].strong}
    assert differing == {"seed"}
    told = {row[3].text for group in figures.groups for row in group.rows}
    assert told == {"+0.050"}
    assert {row[0].text for group in figures.groups for row in group.rows if row[0].strong} == {PRIMARY}


def test_one_line_loads_a_run(tmp_path: Path) -> None:
    full = full_study()
    full.write(tmp_path)
    run = load(tmp_path)
    assert run.results == full
    assert len(run["metrics"]) == len(full.metrics)
    main = "metric == 'auc' and cohort == 'external' and site.isna() and arm == 'federated' and private"
    best = run["metrics"].query(main)
    assert best.set_index("model").estimate.idxmax() == PRIMARY
    assert set(run["survival"].group_name) == {"low risk", "high risk"}
    assert len(run["comparisons"]) == len(full.comparisons)
    with pytest.raises(KeyError, match="this run has no dreams; it has cohorts"):
        run["dreams"]


def test_a_folder_without_a_run_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"no results\.json"):
        load(tmp_path)
