"""Rows of results for outcomes that are no single question: classes, survival, numbers."""

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import cohen_kappa_score, mean_absolute_error, root_mean_squared_error

from client.evaluation import Ward, model_figures
from client.risks import with_risks
from client.site import Limits
from server.record import RunRecord
from server.report.results import Metric
from server.validation.comparisons import arm_comparisons, model_comparisons
from server.validation.main_measure import mean_auc
from server.validation.rows import metric_rows
from server.validation.summary import Estimate
from shared.metrics.concordance import PairCounts
from shared.metrics.delong import clustered_auc
from shared.outcomes.base import OutcomeSection
from shared.outcomes.classes import Ordinal
from shared.outcomes.numbers import Regression
from shared.outcomes.survival import Survival
from shared.privacy.records import RunKey
from shared.study import Study
from shared.study_file import load_study

Floats = npt.NDArray[np.float64]
STUDY = load_study("lscc-staging")
LIMITS = Limits(max_epsilon=8.0)
Cohort = tuple[Floats, Floats, npt.NDArray[np.int64]]  # truth (units, truths), scores (units, outputs), owner


def rows_of(outcome: OutcomeSection, cohorts: dict[str, Cohort]) -> dict[tuple[str | None, str], Metric]:
    """Rows of the primary model by hospital and metric."""
    study, record = told_of(outcome, cohorts)
    return {(row.site, row.metric): row for row in metric_rows(study, record) if row.model == STUDY.primary}


def told_of(outcome: OutcomeSection, cohorts: dict[str, Cohort]) -> tuple[Study, RunRecord]:
    """A study of that outcome, and what its hospitals told of all models."""
    figures = {}
    for site, (truth, scores, owner) in cohorts.items():
        ward = Ward(outcome, "external", truth, owner, LIMITS)
        every = dict.fromkeys(STUDY.models, scores)
        told = [own for model, values in every.items() for own in model_figures(model, ward, values, None)]
        figures[site] = tuple(with_risks(told, ward, every, STUDY.primary))
    record = RunRecord(
        run=RunKey(study="0" * 64, fold="main", arm="federated"), private=False, trainers=(), cohorts={}, ledger=(),
        models="0" * 64, thresholds={}, figures=figures, failures=(), unpublished=(), rounds=(), seconds=1.0,
    )  # fmt: skip
    return STUDY.model_copy(update={"outcome": outcome}), record


def test_ordered_classes_have_their_questions_and_their_agreement() -> None:
    outcome = Ordinal(
        kind="ordinal", column="grade", predicted_at="", classes={name: (name,) for name in ("low", "middle", "high")}
    )
    chance, cohorts = np.random.default_rng(1), dict[str, Cohort]()
    for site in ("north", "south"):
        truth = chance.integers(0, 3, 200).astype(np.float64)
        risk = truth + chance.normal(size=200)
        cohorts[site] = truth[:, None], np.stack([risk - 0.5, risk - 1.5], axis=1), np.arange(200)
    rows = rows_of(outcome, cohorts)
    truth, scores, owner = cohorts["north"]
    area = clustered_auc(truth[:, 0] >= 1, scores[:, :1].T, owner).auc[0]
    assert rows["north", "auc.at-least-middle"].estimate == pytest.approx(area, abs=1e-12)
    assert rows[None, "auc.at-least-high"].low is not None
    assert rows["north", "calibration_slope.at-least-high"].estimate is not None
    predicted = (scores > 0).sum(axis=1)
    kappa = cohen_kappa_score(truth[:, 0], predicted, weights="quadratic")
    assert rows["north", "quadratic_kappa"].estimate == pytest.approx(kappa, abs=5e-4)
    right = np.concatenate([(s > 0).sum(axis=1) == t[:, 0] for t, s, _ in cohorts.values()])
    assert rows[None, "accuracy"].estimate == pytest.approx(right.mean(), abs=1e-12)
    assert (None, "auc") not in rows
    for site in ("north", None):
        questions = [rows[site, f"auc.at-least-{name}"] for name in ("middle", "high")]
        mean = rows[site, "auc_macro"]
        assert mean.estimate == pytest.approx(np.mean([row.estimate for row in questions]), abs=1e-12)
        assert mean.low == pytest.approx(np.mean([row.low for row in questions]), abs=1e-12)
        patients = 200 if site else 400
        assert (mean.n, mean.events) == (patients, None), "three classes are no event"
        assert (rows[site, "accuracy"].n, rows[site, "accuracy"].events) == (patients, None)
        assert [row.n for row in questions] == [patients] * 2
        assert all(row.events for row in questions)


def test_a_mean_over_questions_needs_an_answer_to_each() -> None:
    told, silent = Estimate(0.7, 0.6, 0.8), Estimate(None, reason="too few to report")
    assert mean_auc({"a": told, "b": silent}) == silent
    assert mean_auc({"a": told, "b": Estimate(0.9)}).low is None


def test_survival_has_its_c_within_hospitals() -> None:
    outcome = Survival(
        kind="survival", predicted_at="", time="t", event="e", positive=("1",), negative=("0",), cuts=(6.0, 12.0)
    )
    chance, cohorts = np.random.default_rng(2), dict[str, Cohort]()
    for site in ("north", "south"):
        risk = chance.normal(size=600)
        truth = np.stack([chance.exponential(9 * np.exp(-risk)), chance.random(600) < 0.8], axis=1).astype(np.float64)
        cohorts[site] = truth, np.stack([risk - 1, risk - 0.5], axis=1), np.arange(600)
    rows = rows_of(outcome, cohorts)
    truth, scores, _ = cohorts["north"]
    pairs = PairCounts.of(truth[:, 0], truth[:, 1], outcome.risk(scores))
    here = rows["north", "c_index"]
    assert here.estimate == pytest.approx(pairs.c(), abs=5e-4)
    assert here.low == pytest.approx((pairs.c() or 0) - 1.96 * (pairs.error() or 0), abs=2e-3)
    over = rows[None, "c_index"]
    parts = [rows[site, "c_index"].estimate or 0 for site in cohorts]
    assert min(parts) <= (over.estimate or 0) <= max(parts)
    assert (over.high or 0) - (over.low or 0) < (here.high or 0) - (here.low or 0)
    assert rows["north", "uno_c"].estimate == pytest.approx(here.estimate, abs=0.05)
    assert ("north", "c_index_error") not in rows


def test_errors_of_numbers_are_exact_over_hospitals() -> None:
    outcome = Regression(kind="regression", predicted_at="", column="level", range=(0.0, 20.0))
    chance, cohorts = np.random.default_rng(3), dict[str, Cohort]()
    for site, n in (("north", 60), ("south", 140)):
        truth = chance.uniform(-1, 1, (n, 1))
        cohorts[site] = truth, truth + chance.normal(0, 0.2, (n, 1)), np.arange(n)
    rows = rows_of(outcome, cohorts)
    truth, scores = (np.concatenate([cohort[place] for cohort in cohorts.values()]) for place in (0, 1))
    assert rows[None, "mae"].estimate == pytest.approx(10 * mean_absolute_error(truth, scores), abs=1e-10)
    assert rows[None, "rmse"].estimate == pytest.approx(10 * root_mean_squared_error(truth, scores), abs=1e-10)
    assert (None, "r2") not in rows
    study, record = told_of(outcome, cohorts)
    assert not [*model_comparisons(study, record), *arm_comparisons(study, [record])], "a number has no AUC to compare"
    assert rows["north", "r2"].estimate is not None
    parts = [rows[site, "r2"].estimate or 0 for site in ("north", "south")]
    assert rows[None, "r2_mean"].estimate == pytest.approx(np.average(parts, weights=[60, 140]), abs=1e-9)


def test_several_rows_a_patient_widen_the_interval() -> None:
    outcome = STUDY.outcome
    chance = np.random.default_rng(4)
    ill = np.repeat(chance.integers(0, 2, 60).astype(np.float64), 10)
    score = ill + np.repeat(chance.normal(size=60), 10) + 0.2 * chance.normal(size=600)
    patients = np.repeat(np.arange(60), 10)
    as_rows, as_patients = (
        rows_of(outcome, {"north": (ill[:, None], score[:, None], owner)})["north", "auc"]
        for owner in (np.arange(600), patients)
    )
    assert as_rows.estimate == as_patients.estimate
    narrow, wide = ((row.high or 0) - (row.low or 0) for row in (as_rows, as_patients))
    assert wide > 2.5 * narrow
