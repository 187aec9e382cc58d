"""The catalog: all studies load, three run a round each from invention to the report, and a fault is named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from server.validation.adequacy import published_rows
from shared.cohorts import folds, training_patients
from shared.errors import RunError
from shared.learnability import learnability_warnings
from shared.study_file import catalog, load_study
from shared.study_rules import warnings
from simulations.catalog import ample as catalog_ample
from simulations.catalog import run as catalog_run
from simulations.catalog.ample import FRESH, LEARNED, ample
from simulations.catalog.checks import Page, faults_of
from simulations.catalog.cuts import EPSILON, PATIENTS, cuts
from simulations.catalog.lines import Line, read_lines
from simulations.catalog.page import COLUMNS
from simulations.catalog.run import ENDED, run_catalog, studies
from simulations.catalog.sizes import SIZES

ROOT = Path(__file__).parents[2]
PUBLISHED = (  # the rows of the catalog's plan
    "lscc-staging", "ggn-malignancy", "psma-lymph-node", "breast-mri", "retina-severity", "thyroid-follicular",
    "sarcopenia-ultrasound", "solid-nodule", "periapical-assembly", "aortic-stenosis", "lung-lymph-node", "sleep-apnea",
    "acute-kidney-injury", "pancreatitis-recurrence", "embolism-ecg", "thrombolysis-risk", "sepsis-mortality",
    "preeclampsia-kidney", "encrypted-traffic", "water-level", "post-sentiment",
)  # fmt: skip
TITLE_ONLY = ("thyroid-follicular", "periapical-assembly", "lung-lymph-node")
REPRESENTATIVE = ("embolism-ecg", "retina-severity", "water-level")  # binary, ordinal, forecast
ONE_FOLD = 'cohorts={scheme="site-holdout", train=["upper", "middle"], external=["lower"]}'


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_study_loads_and_has_no_warning(name):
    study = load_study(name)
    assert study.simulation is not None
    assert not [*warnings(study), *learnability_warnings(study)]
    assert all(row.low != row.high or row.low is None for row in published_rows(study)), "an interval of no width"
    assert any("title" in sentence for sentence in study.source.inferred) == (name in TITLE_ONLY)


@pytest.mark.parametrize("name", PUBLISHED)
def test_cut_small_it_is_the_same_design_and_still_has_no_warning(name):
    whole = load_study(name)
    small = load_study(name, [cut.override for cut in cuts(whole)])
    assert max(site.patients for site in small.sites.values()) <= PATIENTS
    assert (small.models, small.fusion, small.arms, set(small.sites)) == (
        whole.models, whole.fusion, whole.arms, set(whole.sites),
    )  # fmt: skip
    assert not small.private or small.privacy.epsilon == EPSILON
    assert not [*warnings(small), *learnability_warnings(small)]
    assert all(cut.why for cut in cuts(whole))


@pytest.mark.parametrize("name", PUBLISHED)
def test_ample_it_is_the_same_model_under_the_oracles_own_conditions(name):
    whole = load_study(name)
    large = load_study(name, [cut.override for cut in ample(whole)])
    assert (large.modalities, large.fusion.kind, large.primary) == (whole.modalities, whole.fusion.kind, whole.primary)
    assert (large.training.loss, large.training.resample) == (whole.training.loss, "none")
    assert not large.private
    assert set(large.arms.run) == {"federated", "pooled"}
    (fold,) = folds(large)
    learned = sum(training_patients(large, site, fold) for site in fold.train)
    total = sum(site.patients for site in large.sites.values())
    assert learned == pytest.approx(LEARNED, rel=0.01)
    assert total - learned == pytest.approx(FRESH, rel=0.01)
    assert not any((large.simulation.missing, large.simulation.empty, large.simulation.leak))
    assert not any((large.simulation.shift.coding, large.simulation.shift.labels))
    assert not any(site.lacks for site in large.sites.values())
    assert not [*warnings(large), *learnability_warnings(large)]


def test_an_ample_study_says_how_far_it_is_from_the_truth_and_leaves_no_hospitals(monkeypatch, tmp_path):
    monkeypatch.setattr(catalog_ample, "LEARNED", 150)
    monkeypatch.setattr(catalog_ample, "FRESH", 150)
    monkeypatch.setattr(catalog_ample, "ROUNDS", 1)
    monkeypatch.chdir(tmp_path)
    size = SIZES["ample"]
    (study,) = studies(["encrypted-traffic"], size)
    (line,) = run_catalog([study], tmp_path, size, Console(quiet=True))
    assert not line.faults
    assert line.below_oracle == pytest.approx(line.oracle - line.pooled)
    assert line.below_pooled == pytest.approx(line.pooled - line.federated)
    assert not list((tmp_path / size.invented).iterdir())
    assert run_catalog([study], tmp_path, size, Console(quiet=True)) == [line], "finished before"
    told = (tmp_path / "summary.md").read_text(encoding="utf-8").splitlines()
    assert told[0] == f"| {' | '.join(size.columns)} |"
    assert told[2].startswith("| `encrypted-traffic` | AUC, internal | 0.9")


@pytest.mark.parametrize(("pooled", "federated", "told"), [(0.87, 0.84, "yes"), (0.869, 0.86, "no"), (0.9, 0.86, "no")])
def test_within_is_told_of_both_steps(pooled, federated, told):
    line = Line(name="x", digest="", metric="auc", oracle=0.9, pooled=pooled, federated=federated)
    assert COLUMNS["within .03"](line) == told
    assert COLUMNS["within .03"](line.model_copy(update={"pooled": None})) == "–"


def test_the_table_names_every_study_and_waits_for_no_heavy_library():
    call = [sys.executable, "-X", "importtime", "-m", "simulations", "list"]
    answer = subprocess.run(call, capture_output=True, text=True, cwd=ROOT, check=True)
    assert all(name in answer.stdout for name in catalog())
    assert "MIMIC-IV" in answer.stdout
    assert not {"torch", "scipy", "pandas"} & {line.rpartition("|")[2].strip() for line in answer.stderr.splitlines()}


def run_small(monkeypatch, folder: Path, names: tuple[str, ...], size: str = "quick", jobs: int = 1) -> list[Line]:
    monkeypatch.chdir(folder)  # invented hospitals are kept under the working folder
    wanted = [
        load_study(study.name, [*study.overrides, "training.rounds=1", *([ONE_FOLD] if "upper" in study.sites else [])])
        for study in studies(names, SIZES[size])
    ]
    return run_catalog(wanted, folder / "results", SIZES[size], Console(quiet=True), jobs)


def test_three_studies_run_a_round_and_their_page_opens(monkeypatch, tmp_path):
    lines = run_small(monkeypatch, tmp_path, REPRESENTATIVE)
    assert {line.name: line.faults for line in lines} == dict.fromkeys(REPRESENTATIVE, ())
    assert [line.metric for line in lines] == ["auc", "auc_macro", "r2_mean"]
    for line in lines:
        assert None not in (line.oracle, line.pooled, line.federated, line.private, line.alone)
        report = Page((tmp_path / "results" / line.folder / "report.html").read_text(encoding="utf-8"))
        assert "Design inferred" in report.text
    page = Page((tmp_path / "results" / "summary.html").read_text(encoding="utf-8"))
    assert not page.fault
    assert all(name in page.text for name in REPRESENTATIVE)


def test_what_is_finished_is_not_run_again_and_what_failed_is_named(monkeypatch, tmp_path):
    asked = []

    def run(study, hospitals, results, console):
        asked.append(study.name)
        raise RunError("no hospital answered") if study.name == "water-level" else ZeroDivisionError

    monkeypatch.setattr(catalog_run, "run_study", run)
    done, failing = load_study("lscc-staging"), [load_study("water-level"), load_study("embolism-ecg")]
    catalog_run.write_lines(tmp_path, [Line(name=done.name, digest=done.digest)])
    for _ in range(2):
        lines = run_catalog([done, *failing], tmp_path, SIZES["catalog"], Console(quiet=True))
    assert asked == ["water-level", "embolism-ecg"] * 2, "finished ones are skipped, failed ones are tried again"
    assert [line.faults for line in lines] == [
        (), ("no hospital answered",), ("ZeroDivisionError, see embolism-ecg-traceback.txt",),
    ]  # fmt: skip
    assert read_lines(tmp_path)["water-level"].faults
    changed = load_study("lscc-staging", ["seed=8"])
    run_catalog([changed], tmp_path, SIZES["catalog"], Console(quiet=True))
    assert asked[-1] == "lscc-staging", "another digest is another study"


@pytest.mark.slow
def test_studies_side_by_side_have_the_same_figures(monkeypatch, tmp_path):
    names = ("encrypted-traffic", "embolism-ecg")
    other = {"seconds", "folder", "private"}  # whose noise is drawn afresh
    one, two = (run_small(monkeypatch, tmp_path, names, jobs=jobs) for jobs in (1, 2))
    assert [line.model_dump(exclude=other) for line in one] == [line.model_dump(exclude=other) for line in two]
    assert [line.name for line in two] == list(names)


def test_a_process_that_is_ended_is_a_fault_of_its_studies(monkeypatch, tmp_path):
    monkeypatch.setattr(catalog_run, "one", ended)
    lines = run_small(monkeypatch, tmp_path, ("encrypted-traffic", "embolism-ecg"), jobs=2)
    assert [(line.name, line.faults) for line in lines] == [
        ("encrypted-traffic", (ENDED,)), ("embolism-ecg", (ENDED,)),
    ]  # fmt: skip


def ended(*_):
    os._exit(9)


def test_a_report_that_does_not_open_or_does_not_tell_is_a_fault(tmp_path):
    line = Line(name="x", digest="", metric="auc", federated=0.5, inferred=("two hospitals & more",))
    page = tmp_path / "report.html"
    page.write_text("<!DOCTYPE html><html><body><p>two hospitals &amp; more</p><br></body></html>")
    assert not list(faults_of(line, tmp_path))
    page.write_text("<html><body><p>two hospitals</body></html>")
    assert len(list(faults_of(line, tmp_path))) == 2
    assert list(faults_of(line.model_copy(update={"federated": None, "warnings": ("w",)}), tmp_path))[:2] == [
        "no main figure (auc)", "warning: w",
    ]  # fmt: skip


def test_a_papers_own_size_may_be_too_small_to_tell_and_no_other(tmp_path):
    (tmp_path / "report.html").write_text("<html><body></body></html>")
    line = Line(name="x", digest="", metric="auc", withheld="too few events")
    assert list(faults_of(line, tmp_path)) == ["no main figure (auc: too few events)"]
    assert list(faults_of(line, tmp_path, tells=False)) == []
    assert list(faults_of(line.model_copy(update={"withheld": ""}), tmp_path, tells=False)) == ["no main figure (auc)"]
    assert [name for name, size in SIZES.items() if not size.tells] == ["catalog"]


@pytest.mark.slow
def test_every_study_runs_cut_small(tmp_path):
    call = [sys.executable, "-m", "simulations", "all", "--quick", "--results", str(tmp_path / "results")]
    answer = subprocess.run(
        call, capture_output=True, text=True, cwd=tmp_path, check=False, env={"PYTHONPATH": str(ROOT)}
    )
    assert answer.returncode == 0, answer.stdout
    lines = read_lines(tmp_path / "results")
    assert set(PUBLISHED) <= set(lines)
