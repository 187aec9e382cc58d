"""Net benefit against R's dcurves, calibration against statsmodels, splines against R's rms by its definition."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit
from sklearn.metrics import log_loss

from shared.metrics.calibration import (
    curve,
    expected_calibration_error,
    flexible,
    ici,
    in_the_large,
    log_ratio_error,
    slope,
)
from shared.metrics.newton import logistic, maximise
from shared.metrics.risk import RiskTally
from shared.metrics.splines import moment_knots, spline_basis
from shared.metrics.utility import avoided, benefit_of_counts, net_benefit, survival_net_benefit, treat_all
from tests.known_answers.data import Floats, table_of_dcurves

DATA = table_of_dcurves("df_binary.csv")
CANCER = DATA["cancer"]
THRESHOLDS = np.array([0.05, 0.10, 0.15, 0.20, 0.25, 0.35])


def test_treating_everybody() -> None:
    """R's dcurves on df_binary, prevalence 0.14."""
    found = treat_all(float(CANCER.mean()), np.array([0.05, 0.10, 0.20, 0.50]))
    assert found == pytest.approx([0.0947368421, 0.0444444444, -0.075, -0.72], abs=5e-11)


def test_net_benefit_equals_that_of_r() -> None:
    """Files tests/benchmark_data/r_*.csv of MSKCC-Epi-Bio/dcurves."""
    family = net_benefit(CANCER, DATA["famhistory"], np.array([0.05, 0.10, 0.20]))
    assert family == pytest.approx([0.0256140350877192, 0.0185185185185185, 0.0016666666666666], abs=1e-15)
    model = net_benefit(CANCER, DATA["cancerpredmarker"], THRESHOLDS)
    known = [0.1055438596, 0.0874074074, 0.0792156863, 0.0673333333, 0.064, 0.0501538462]
    assert model == pytest.approx(known, abs=5e-11)


def test_net_benefit_of_a_fitted_marker_equals_that_of_r() -> None:
    """The marker age by a logistic regression of its own, as R's dca does with as_probability."""
    design = np.stack([np.ones(750), DATA["age"]], axis=1)
    fit = maximise(logistic(design, CANCER, np.zeros(750)), np.zeros(2))
    assert fit is not None
    found = net_benefit(CANCER, expit(design @ fit.coefficients), np.array([0.05, 0.10, 0.20, 0.50]))
    assert found == pytest.approx([0.0988070175, 0.0691851852, 0.0420, 0.0093333], abs=4e-8)


def test_the_odds_ratio_of_family_history() -> None:
    """Vignette of dcurves: 1.80 (1.09, 2.99), p .022."""
    design = np.stack([np.ones(750), DATA["famhistory"]], axis=1)
    fit = maximise(logistic(design, CANCER, np.zeros(750)), np.zeros(2))
    assert fit is not None
    half = 1.959963984540054 * fit.errors[1]
    odds = np.exp([fit.coefficients[1], fit.coefficients[1] - half, fit.coefficients[1] + half])
    assert odds == pytest.approx([1.8038, 1.0869, 2.9937], abs=5e-5)


def test_net_benefit_equals_that_of_the_python_dcurves() -> None:
    import dcurves
    import pandas as pd

    frame = pd.DataFrame({"cancer": CANCER.astype(int), "risk": DATA["cancerpredmarker"]})
    grid = np.arange(0.01, 1.0, 0.01)
    table = dcurves.dca(data=frame, outcome="cancer", modelnames=["risk"], thresholds=grid)
    mine = table[table.model == "risk"].sort_values("threshold")
    assert net_benefit(CANCER, DATA["cancerpredmarker"], grid) == pytest.approx(mine.net_benefit.to_numpy(), abs=1e-14)


def test_censored_net_benefit_equals_that_of_r() -> None:
    """r_simple_surv: famhistory at 1.5 years; cancerpredmarker at 1 year by the python dcurves."""
    data = table_of_dcurves("df_surv.csv")
    time, event = data["ttcancer"], data["cancer"]
    found = survival_net_benefit(time, event, data["famhistory"], 1.5, np.array([0.10, 0.20]))
    assert found == pytest.approx([0.0420456245474125, 0.0281346609491724], abs=1e-14)
    found = survival_net_benefit(time, event, data["cancerpredmarker"], 1.0, np.array([0.05, 0.10, 0.20, 0.35]))
    assert found == pytest.approx([0.108144664955, 0.083906562630, 0.063145957380, 0.051528081834], abs=1e-12)


def test_interventions_avoided_by_hand() -> None:
    """100 patients, 20 events, at threshold .2 a rule with 18 true and 22 false positives: 58 fewer treated, less the
    4 x 2 that the 2 missed events are worth: 50 in 100."""
    benefit = benefit_of_counts(np.array([18.0]), np.array([22.0]), 100, np.array([0.2]))
    assert avoided(benefit, 0.2, np.array([0.2])) == pytest.approx([0.50])


def test_a_model_is_calibrated_where_it_was_fitted() -> None:
    """cancerpredmarker is the apparent logistic model, printed to seven digits."""
    sites = [(CANCER, logit(DATA["cancerpredmarker"]))]
    line, large = slope(sites), in_the_large(sites)
    assert line is not None
    assert large is not None
    assert line.coefficients == pytest.approx([0, 1], abs=1e-6)
    assert large.coefficients == pytest.approx([0], abs=1e-6)
    tally = RiskTally.of(CANCER, sites[0][1])
    assert tally.brier == pytest.approx(0.08492909779701738, abs=1e-15)
    assert tally.log_loss == pytest.approx(log_loss(CANCER, DATA["cancerpredmarker"]), abs=1e-14)
    assert tally.observed_expected == pytest.approx(1, abs=1e-6)


def miscalibrated() -> tuple[Floats, Floats]:
    chance = np.random.default_rng(11)
    odds = chance.normal(-0.5, 1.5, 400)
    return (chance.random(400) < expit(0.3 + 0.7 * odds)).astype(np.float64), odds


def test_calibration_equals_that_of_statsmodels() -> None:
    outcome, odds = miscalibrated()
    line = sm.GLM(outcome, sm.add_constant(odds), family=sm.families.Binomial()).fit(tol=1e-14)
    large = sm.GLM(outcome, np.ones((400, 1)), family=sm.families.Binomial(), offset=odds).fit(tol=1e-14)
    for mine, theirs in ((slope([(outcome, odds)]), line), (in_the_large([(outcome, odds)]), large)):
        assert mine is not None
        assert mine.coefficients == pytest.approx(theirs.params, abs=1e-9)
        assert mine.errors == pytest.approx(theirs.bse, abs=1e-8)
        assert mine.likelihood == pytest.approx(theirs.llf, abs=1e-9)


def test_the_flexible_curve_equals_that_of_statsmodels_and_its_spline_is_restricted() -> None:
    outcome, odds = miscalibrated()
    knots = moment_knots(float(odds.mean()), float(odds.std()))
    fit = flexible([(outcome, odds)], knots)
    theirs = sm.GLM(outcome, spline_basis(odds, knots), family=sm.families.Binomial()).fit(tol=1e-14)
    assert fit is not None
    assert fit.coefficients == pytest.approx(theirs.params, abs=1e-8)
    outer = np.array([knots[-1] + 1, knots[-1] + 2, knots[-1] + 3, knots[0] - 1, knots[0] - 2, knots[0] - 3])
    bends = spline_basis(outer, knots) @ fit.coefficients
    assert bends[0] + bends[2] == pytest.approx(2 * bends[1], abs=1e-9)  # straight beyond the last knot
    assert bends[3] + bends[5] == pytest.approx(2 * bends[4], abs=1e-9)  # and before the first
    observed, low, high = curve(fit, knots, odds)
    assert np.all((low < observed) & (observed < high))
    assert ici(fit, knots, odds) == pytest.approx(np.abs(observed - expit(odds)).mean(), abs=1e-15)
    truth = np.abs(expit(0.3 + 0.7 * odds) - expit(odds)).mean()
    assert ici(fit, knots, odds) == pytest.approx(truth, abs=0.03)


def test_separated_patients_have_no_slope() -> None:
    outcome = np.array([0.0] * 20 + [1.0] * 20)
    assert slope([(outcome, np.where(outcome == 1, 2.0, -2.0) + np.linspace(0, 1, 40))]) is None
    assert slope([(outcome, np.zeros(40))]) is None  # a constant score
    assert in_the_large([(np.zeros(30), np.zeros(30))]) is None


def test_the_error_of_o_to_e_and_the_ten_bins() -> None:
    assert log_ratio_error(100, 20) == pytest.approx(0.2)
    risk = np.array([0.05, 0.05, 0.95, 0.95, 1.0])
    assert expected_calibration_error(np.array([0.0, 0, 1, 1, 1]), risk) == pytest.approx(0.2 / 5)
    assert expected_calibration_error(np.array([1.0, 0, 1, 1, 1]), risk) == pytest.approx((0.9 + 0.1) / 5)
