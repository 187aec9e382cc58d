"""Rows of results from what hospitals tell: comparisons, heterogeneity, calibration, decisions, adequacy."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import expit, logit

from client.evaluation import Ward, model_figures
from client.risks import with_risks
from client.site import Limits
from server.record import RunRecord
from server.report.results import Comparison
from server.validation.adequacy import published_rows, sample_size_rows
from server.validation.comparisons import arm_comparisons, model_comparisons
from server.validation.curves import calibration_rows, decision_rows
from server.validation.heterogeneity import SCALES, UNRELIABLE, meta_rows
from server.validation.random_effects import summarise
from server.validation.rows import by_cohort, metric_rows
from shared.cohorts import Role
from shared.metrics.calibration import curve, flexible, slope
from shared.metrics.comparison import holm, normal_difference
from shared.metrics.delong import auc_with_variance, paired_auc
from shared.metrics.splines import moment_knots
from shared.metrics.utility import net_benefit
from shared.privacy.records import RunKey
from shared.study import Study
from shared.study_file import load_study

Floats = npt.NDArray[np.float64]
LIMITS = Limits(max_epsilon=8.0)
SITES = ("east", "north", "south", "west", "centre")
STUDY = load_study("lscc-staging")
EVALUATION = STUDY.evaluation.model_copy(update={"decision_range": (0.1, 0.7), "non_inferiority": 0.05})
DECLARED = STUDY.model_copy(update={"evaluation": EVALUATION})
Patients = tuple[Floats, dict[str, Floats]]


def patients(seed: int, n: int = 150, blur: float = 1.0) -> Patients:
    """Outcome and every model's score; more modalities tell more."""
    chance = np.random.default_rng(seed)
    outcome = (chance.random(n) < 0.4).astype(np.float64)
    scores = {model: (model.count("+") + 1) * (outcome - 0.5) + blur * chance.normal(size=n) for model in STUDY.models}
    return outcome, scores


def record(cohorts: Mapping[str, Patients], role: Role = "external", arm: str = "federated") -> RunRecord:
    figures = {}
    for site, (outcome, scores) in cohorts.items():
        ward = Ward(STUDY.outcome, role, outcome[:, None], np.arange(len(outcome)), LIMITS)
        columns = {model: score[:, None] for model, score in scores.items()}
        told = [own for model, score in columns.items() for own in model_figures(model, ward, score, 0.0)]
        figures[site] = tuple(with_risks(told, ward, columns, STUDY.primary))
    return RunRecord(
        run=RunKey(study="0" * 64, fold="main", arm=arm),
        private=False,
        trainers=("north",),
        cohorts={},
        ledger=(),
        models="0" * 64,
        thresholds=dict.fromkeys(STUDY.models, 0.0),
        figures=figures,
        failures=(),
        unpublished=(),
        rounds=(),
        seconds=1.0,
    )


COHORTS = {site: patients(number) for number, site in enumerate(SITES)}
WHOLE = record(COHORTS)


def row(rows: list[Comparison], model: str, metric: str, site: str | None) -> Comparison:
    (found,) = [r for r in rows if (r.model_b, r.metric, r.site) == (model, metric, site)]
    return found


def test_models_are_compared_on_the_same_patients() -> None:
    rows = list(model_comparisons(STUDY, WHOLE))
    outcome, scores = COHORTS["north"]
    areas = paired_auc(outcome, np.stack([scores[STUDY.primary], scores["ct"]]))
    contrast = np.array([1.0, -1.0])
    exact = normal_difference(float(contrast @ areas.auc), float(contrast @ areas.covariance @ contrast))
    here = row(rows, "ct", "auc", "north")
    assert (here.difference, here.low, here.high) == pytest.approx((exact.value, exact.low, exact.high), abs=1e-5)
    assert here.p is None  # only the planned test, over the hospitals, has one
    assert (here.n, here.events) == (150, outcome.sum())
    risks = {name: expit(scores[name]) for name in (STUDY.primary, "ct")}
    gaps = (risks[STUDY.primary] - outcome) ** 2 - (risks["ct"] - outcome) ** 2
    brier = row(rows, "ct", "brier", "north")
    half = 1.959963984540054 * gaps.std(ddof=1) / 150**0.5
    assert (brier.difference, brier.low) == pytest.approx((gaps.mean(), gaps.mean() - half), abs=1e-5)


def test_the_difference_over_hospitals_is_that_of_the_figures_in_the_table() -> None:
    whole = WHOLE
    rows = list(model_comparisons(STUDY, whole))
    aucs = {r.model: r.estimate for r in metric_rows(STUDY, whole) if (r.metric, r.site) == ("auc", None)}
    for model in STUDY.models[:-1]:
        over = row(rows, model, "auc", None)
        assert over.difference == pytest.approx((aucs[STUDY.primary] or 0) - (aucs[model] or 0), abs=1e-11)
        assert over.low is not None
        assert over.high is not None
        assert over.low < over.difference < over.high
    tested = [r for r in rows if r.p is not None]
    assert len(tested) == len(STUDY.models) - 1
    assert [r.p_adjusted for r in tested] == pytest.approx(holm([r.p or 0 for r in tested]))


def test_identical_hospitals_narrow_the_interval_by_their_number() -> None:
    one, four = (record({f"s{k}": COHORTS["north"] for k in range(count)}) for count in (1, 4))
    single, many = (row(list(model_comparisons(STUDY, r)), "ct", "auc", None) for r in (one, four))
    assert many.difference == pytest.approx(single.difference)
    assert (many.high or 0) - (many.low or 0) == pytest.approx(((single.high or 0) - (single.low or 0)) / 2)


def test_arms_are_compared_with_a_margin() -> None:
    better, worse = WHOLE, record({s: patients(k, blur=1.6) for k, s in enumerate(SITES)}, arm="pooled")
    alone = record({s: patients(k, blur=3.0) for k, s in enumerate(SITES)}, arm="alone:north")
    rows = list(arm_comparisons(DECLARED, [better, worse, alone]))
    assert {(r.kind, r.site is None) for r in rows} == {(k, s) for k in ("pooled", "alone") for s in (True, False)}
    (pooled,) = [r for r in rows if r.kind == "pooled" and r.site is None]
    assert (pooled.margin, pooled.non_inferior, pooled.p) == (0.05, True, None)
    gains = {r.site: r.difference for r in rows if r.kind == "alone"}
    assert all((gain or 0) > 0 for gain in gains.values())
    assert all(r.margin is None for r in rows if r.kind == "alone")
    swapped = [worse.model_copy(update={"run": better.run}), better.model_copy(update={"run": worse.run})]
    (back,) = [r for r in arm_comparisons(DECLARED, swapped) if r.site is None]
    assert (back.difference, back.non_inferior) == (pytest.approx(-(pooled.difference or 0)), False)
    undeclared = DECLARED.model_copy(update={"evaluation": EVALUATION.model_copy(update={"non_inferiority": None})})
    assert [r.non_inferior for r in arm_comparisons(undeclared, [better, worse])] == [None] * 6


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_few_hospitals_are_not_summarised(count: int) -> None:
    cohorts = dict(list(COHORTS.items())[:count])
    rows = [r for r in meta_rows(STUDY, [record(cohorts)]) if r.model == STUDY.primary]
    assert {r.metric for r in rows} == set(SCALES)
    for found in rows:
        assert (found.k, set(found.sites)) == (count, set(cohorts))
        assert (found.estimate is None) == (count < 3)
        assert bool(found.reason) == (count < 3)
        assert found.prediction_note == (UNRELIABLE if count in (3, 4) else "")
    if count == 5:
        (auc,) = [r for r in rows if r.metric == "auc"]
        areas = [auc_with_variance(outcome, scores[STUDY.primary]) for outcome, scores in COHORTS.values()]
        exact = summarise([logit(a) for a, _ in areas], [v / (a * (1 - a)) ** 2 for a, v in areas])
        assert auc.estimate == pytest.approx(expit(exact.mean), abs=1e-9)
        assert (auc.low, auc.high) == pytest.approx((expit(exact.low), expit(exact.high)), abs=1e-9)
        assert sum(auc.weights) == pytest.approx(1)


def test_figures_over_hospitals_are_those_of_all_patients() -> None:
    rows = {(r.model, r.metric): r for r in metric_rows(STUDY, WHOLE) if r.site is None}
    outcome = np.concatenate([truth for truth, _ in COHORTS.values()])
    score = np.concatenate([scores["ct"] for _, scores in COHORTS.values()])
    risk, positive = expit(score), score >= 0
    assert rows["ct", "brier"].estimate == pytest.approx(np.mean((risk - outcome) ** 2), abs=1e-12)
    assert rows["ct", "oe_ratio"].estimate == pytest.approx(outcome.sum() / risk.sum(), abs=1e-12)
    losses = -np.log(np.where(outcome == 1, risk, 1 - risk))
    assert rows["ct", "log_loss"].estimate == pytest.approx(losses.mean(), abs=1e-12)
    tp, fp, fn = (int(np.sum(positive & (outcome == 1))), int(np.sum(positive & (outcome == 0))),
                  int(np.sum(~positive & (outcome == 1))))  # fmt: skip
    assert rows["ct", "ppv"].estimate == pytest.approx(tp / (tp + fp))
    assert rows["ct", "f1"].estimate == pytest.approx(2 * tp / (2 * tp + fp + fn))
    exact = slope([(truth, scores["ct"]) for truth, scores in COHORTS.values()])
    assert exact is not None
    assert rows["ct", "calibration_slope"].estimate == pytest.approx(exact.coefficients[1], abs=0.05)


def test_a_hospital_of_separated_patients_has_a_bound_and_no_line() -> None:
    outcome = np.repeat([0.0, 1.0], 30)
    scores = {model: outcome * 4 - 2 + np.linspace(0, 1, 60) for model in STUDY.models}
    rows = {r.metric: r for r in metric_rows(STUDY, record({"north": (outcome, scores)})) if r.site == "north"}
    assert rows["auc"].estimate == 1
    assert rows["auc"].low == pytest.approx(0.025 ** (1 / 30))
    assert rows["auc"].high == 1
    assert rows["calibration_slope"].estimate is None
    assert rows["calibration_slope"].reason
    assert rows["average_precision"].estimate == 1


def test_too_few_patients_tell_nothing() -> None:
    outcome, scores = patients(1, n=25)
    few = {model: score[:15] for model, score in scores.items()}
    whole = record({"north": (outcome[:15], few)})
    assert all(own.risk is None for own in whole.figures["north"])
    assert all(r.estimate is None for r in metric_rows(STUDY, whole) if r.metric != "threshold")
    (null,) = [r for r in model_comparisons(STUDY, whole) if (r.model_b, r.metric) == ("ct", "auc")]
    assert (null.difference, bool(null.reason)) == (None, True)
    assert not list(calibration_rows(STUDY, whole))
    assert not list(decision_rows(DECLARED, whole))


def test_net_benefit_is_near_that_of_the_patients_and_stays_inside_the_declared_range() -> None:
    found = [r for r in decision_rows(DECLARED, WHOLE) if r.model == "clinical"]
    assert len(found) == 1
    outcome = np.concatenate([truth for truth, _ in COHORTS.values()])
    risk = expit(np.concatenate([scores["clinical"] for _, scores in COHORTS.values()]))
    thresholds = np.array(found[0].threshold)
    assert thresholds.min() >= 0.1
    assert thresholds.max() <= 0.7
    assert len(thresholds) > 10
    exact = net_benefit(outcome, risk, thresholds)
    errors = np.abs(np.array(found[0].benefit) - exact)
    assert errors.max() < 0.025
    assert errors.mean() < 0.007
    half = int(np.flatnonzero(np.isclose(thresholds, 0.5))[0])
    assert found[0].benefit[half] == pytest.approx(
        exact[half], abs=1e-12
    )  # an edge wherever both its sides hold enough
    assert not list(decision_rows(STUDY.model_copy(update={"evaluation": EVALUATION.model_copy(
        update={"decision_range": None})}), WHOLE))  # fmt: skip


def test_a_calibration_curve_follows_the_truth_and_its_histogram_has_no_small_cell() -> None:
    chance, cohorts = np.random.default_rng(5), dict[str, Patients]()
    for site in ("north", "south"):
        odds = chance.normal(0, 1.2, 3000)
        outcome = (chance.random(3000) < expit(0.4 + 0.6 * odds)).astype(np.float64)
        cohorts[site] = outcome, dict.fromkeys(STUDY.models, odds)
    alone = [r for site in cohorts for r in calibration_rows(STUDY, record({site: cohorts[site]}))]
    together = list(calibration_rows(STUDY, record(cohorts)))
    assert {r.model for r in (*alone, *together)} == {STUDY.primary}
    assert [r.site for r in together] == [None]  # a hospital's own curve stands where there is no other
    assert {r.site for r in alone} == {"north", "south", None}
    for drawn in (*alone, *together):
        truth = expit(0.4 + 0.6 * logit(np.array(drawn.predicted)))
        assert np.abs(np.array(drawn.observed) - truth).max() < 0.06
        width = np.array(drawn.high) - np.array(drawn.low)
        assert np.abs(np.array(drawn.observed) - truth).max() < width.max() < 0.2
        assert all(count == 0 or (count or 0) >= LIMITS.min_cell for count in (*drawn.events, *drawn.others))
        assert sum(c or 0 for c in (*drawn.events, *drawn.others)) == drawn.n


def test_what_a_cohort_of_this_size_can_show() -> None:
    rows = {r.criterion: r for r in sample_size_rows(STUDY, record({"north": patients(1, blur=2.5)}))}
    assert set(rows) == {"c", "oe", "slope"}
    assert all((r.required or 0) > 50 and r.achieved_n == 150 and (r.achieved_width or 0) > 0 for r in rows.values())
    assert (rows["slope"].required or 0) > (rows["c"].required or 0)


def test_printed_figures_that_cannot_all_be_true_are_flagged() -> None:
    printed = {"sensitivity": 0.5917, "specificity": 0.7912, "accuracy": 0.8736, "auc": 0.8029}
    values = {f"{name}.internal": (value, value, value) for name, value in printed.items()}

    def flags(**changes: object) -> dict[str, str]:
        evaluation = STUDY.evaluation.model_copy(
            update={"published": values, "published_patients": {"internal": (6050, 1462)}, **changes}
        )
        study: Study = STUDY.model_copy(update={"evaluation": evaluation})
        return {r.metric: r.flag for r in published_rows(study)}

    wrong = flags()
    assert wrong["accuracy"]
    assert wrong["sensitivity"]
    assert not wrong["auc"]  # which no table gives
    consistent = {**values, "accuracy.internal": (0.743, 0.743, 0.743)}
    assert not any(flags(published=consistent).values())
    assert not any(flags(published_patients={}).values())


def test_every_hospital_is_counted_once() -> None:
    assert [site for site, _ in by_cohort(WHOLE, "ct", "external")] == sorted(SITES)
    assert sum(own.n or 0 for _, own in by_cohort(WHOLE, "ct", "external")) == 750


def test_the_margin_is_a_loss() -> None:
    """Two equal arms: the interval reaches below zero, and only a margin beyond its end rules a loss out."""
    same = [WHOLE, WHOLE.model_copy(update={"run": WHOLE.run.model_copy(update={"arm": "pooled"})})]
    reach = -min(r.low or 0 for r in arm_comparisons(DECLARED, same) if r.site is None)
    for margin, verdict in ((reach * 1.1, True), (reach * 0.9, False)):
        study = DECLARED.model_copy(update={"evaluation": EVALUATION.model_copy(update={"non_inferiority": margin})})
        assert [r.non_inferior for r in arm_comparisons(study, same) if r.site is None] == [verdict]


def test_a_hospital_s_calibration_band_is_that_of_its_own_fit() -> None:
    outcome, scores = COHORTS["north"]
    own = scores[STUDY.primary]
    knots = moment_knots(float(own.mean()), float(own.std()))
    fit = flexible([(outcome, own)], knots)
    assert fit is not None
    alone = WHOLE.model_copy(update={"figures": {"north": WHOLE.figures["north"]}})
    (found,) = [r for r in calibration_rows(STUDY, alone) if (r.model, r.site) == (STUDY.primary, "north")]
    sides = curve(fit, knots, logit(np.array(found.predicted)))
    for mine, exact in zip((found.observed, found.low, found.high), sides, strict=True):
        assert mine == pytest.approx(exact, abs=1e-9)
