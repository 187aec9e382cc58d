"""A k-fold from hospitals' folders to the report: a ledger a fold, figures by fold and over them, one external test."""

import re
from pathlib import Path

import pytest

from server.record import load_records
from server.report.page import page_sections, render_page
from server.report.results import Results
from server.report.view import View
from server.validation.assemble import assemble
from shared.cohorts import folds
from shared.privacy.records import RunKey
from simulations.arms import Hooks, open_consortium, run_arms
from tests.small import SITES, agent_of, ask_counts, hospital, small_study

THREE = 'cohorts={scheme="k-fold",folds=3,external=["south"]}'
MODEL = "clinical+blood"


@pytest.fixture(scope="module")
def crossed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, Path]:
    folder = tmp_path_factory.mktemp("crossed")
    study = small_study(folder, THREE, 'arms.run=["federated","alone"]', "evaluation.decision_range=[0.2,0.6]")
    for name in SITES:
        hospital(folder / "data", name, open_to_all=True, patients=120, max_epsilon=100.0)
    consortium = open_consortium(study, folder / "data", folder / "state")
    run_arms(study, consortium, folder / "run", Hooks(), twins=True)
    return assemble(study, load_records(folder / "run"), "in-process", {}, 1.0), folder


def test_every_fold_has_a_ledger_of_its_own_and_they_compose(crossed: tuple[Results, Path]) -> None:
    results, _ = crossed
    north = [row for row in results.privacy.sites if (row.site, row.arm) == ("north", "federated")]
    assert [row.fold for row in north] == ["fold-1", "fold-2", "fold-3", "main"]
    assert all(row.epsilon and 7 < row.epsilon <= 8 for row in north)
    composed = {row.site: row for row in results.privacy.composed}
    assert composed["north"].runs == 8, "four folds, federated and alone"
    assert composed["north"].epsilon > 16
    assert results.privacy.folds.startswith("a hospital's patients train in 4 folds")


def test_each_patient_is_counted_once_and_judged_once(crossed: tuple[Results, Path]) -> None:
    results, _ = crossed
    sizes = {(row.site, row.name): (row.n, row.events) for row in results.cohorts}
    assert sizes == {
        ("north", "internal"): (120, 60),
        ("west", "internal"): (120, 60),
        ("south", "external"): (120, 60),
    }
    auc = [
        row
        for row in results.metrics
        if (row.model, row.arm, row.metric, row.private) == (MODEL, "federated", "auc", True)
    ]
    by_fold = {(row.fold, row.cohort): row for row in auc if row.site is None}
    assert set(by_fold) >= {
        ("fold-1", "internal"),
        ("fold-2", "internal"),
        ("fold-3", "internal"),
        ("main", "internal"),
    }
    parts, whole = [by_fold[f"fold-{part}", "internal"] for part in (1, 2, 3)], by_fold["main", "internal"]
    assert [row.n for row in parts] == [80, 80, 80]
    assert whole.n == 240
    assert whole.estimate == pytest.approx(sum(row.estimate or 0.0 for row in parts) / 3, abs=1e-9)
    assert whole.low is not None
    assert parts[0].low is not None
    assert whole.high - whole.low < parts[0].high - parts[0].low, "of three times the patients"  # type: ignore[operator]
    assert "cross-validated: joined over the held-out parts of 3 folds" in (whole.method or "")
    outside = [row for row in auc if row.cohort == "external"]
    assert {row.fold for row in outside} == {"main"}, "the external hospital answers for one model"
    assert {seal.fold for seal in results.seals} == {"main"}


def test_nothing_is_joined_that_cannot_be(crossed: tuple[Results, Path]) -> None:
    results, _ = crossed
    inside = [row for row in results.metrics if (row.fold, row.cohort, row.model) == ("main", "internal", MODEL)]
    assert {row.estimate for row in inside if row.metric == "average_precision"} == {None}
    assert not [row for row in results.decisions if row.cohort == "internal"]
    assert [row for row in results.decisions if row.cohort == "external"]
    assert not [row for row in results.calibration if row.cohort == "internal"]
    assert {row.fold for row in results.comparisons} == {"main"}
    tested = [row for row in results.comparisons if (row.cohort, row.kind, row.site) == ("internal", "models", None)]
    assert all(row.p is not None and row.n == 240 for row in tested if row.metric == "auc")
    assert {row.fold for row in results.meta} == {"main"}


def test_the_report_tells_of_every_fold_and_of_all(crossed: tuple[Results, Path]) -> None:
    view = View(crossed[0])
    text = re.sub(r"<[^>]+>", " ", render_page(view, page_sections(view)))
    assert "Cross-validation: trained at north and west; external: south." in text
    assert "Internal figures are cross-validated: in each of 3 folds" in text
    assert "by fold, on the patients held out in it" in text
    for words in ("Fold 1", "Fold 2", "Fold 3", "All folds", "no unbiased estimate of that exists"):
        assert words in text
    assert "Internal, cross-validated over 3 folds" in text
    assert "The split of each hospital" in text
    assert set(crossed[0].timing.splits) == {"north", "west"}


def test_a_hospital_has_no_part_in_a_fold_without_it(tmp_path: Path) -> None:
    study = small_study(tmp_path, THREE)
    site = hospital(tmp_path / "data", "south")
    question = ask_counts(study)
    told = []
    for fold in folds(study):
        header = question.header.model_copy(update={"run": RunKey(study=study.digest, fold=fold.name, arm="federated")})
        reply = agent_of(site).answer(type(question)(header, question.arrays)).header
        told.append(getattr(reply, "code", reply.kind))
    assert told == ["no-such-run"] * 3 + ["described"]
