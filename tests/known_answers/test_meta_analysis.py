"""Random-effects summaries against metafor and Stata on the BCG trials, PyMARE, and 23 validations of EuroSCORE II."""

import math

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import norm

from server.validation.random_effects import (
    cochran_q,
    dersimonian_laird,
    maximum_likelihood,
    paule_mandel,
    q_profile,
    summarise,
    weighted_mean,
)
from tests.known_answers.data import beside_the_checkout

# Tuberculosis among vaccinated and others in 13 trials (Colditz et al. 1994), as metafor's dat.bcg:
# cases and healthy among the vaccinated, cases and healthy among the others.
BCG = np.array(
    [
        [4, 119, 11, 128], [6, 300, 29, 274], [3, 228, 11, 209], [62, 13536, 248, 12619], [33, 5036, 47, 5761],
        [180, 1361, 372, 1079], [8, 2537, 10, 619], [505, 87886, 499, 87892], [29, 7470, 45, 7232],
        [17, 1699, 65, 1600], [186, 50448, 141, 27197], [5, 2493, 3, 2338], [27, 16886, 29, 17825],
    ],
    dtype=np.float64,
).T  # fmt: skip
TP, TN, CP, CN = BCG
RISK = np.log(TP / (TP + TN)) - np.log(CP / (CP + CN))
RISK_VARIANCE = 1 / TP - 1 / (TP + TN) + 1 / CP - 1 / (CP + CN)
ODDS = np.log(TP * CN / (TN * CP))
ODDS_VARIANCE = 1 / TP + 1 / TN + 1 / CP + 1 / CN


def test_a_common_effect() -> None:
    """metafor rma(method="EE"); Stata metan: -0.4303 (-0.5097, -0.3509), Q 152.2330."""
    mean, weights = weighted_mean(RISK, RISK_VARIANCE, 0.0)
    half = 1.959963984540054 / math.sqrt(weights.sum())
    assert (mean, mean - half, mean + half) == pytest.approx((-0.4303, -0.5097, -0.3509), abs=5e-5)
    assert cochran_q(RISK, RISK_VARIANCE, 0.0) == pytest.approx(152.2330, abs=5e-5)


def test_dersimonian_and_laird() -> None:
    tau2 = dersimonian_laird(RISK, RISK_VARIANCE)
    mean, weights = weighted_mean(RISK, RISK_VARIANCE, tau2)
    half = 1.959963984540054 / math.sqrt(weights.sum())
    assert (tau2, mean, mean - half, mean + half) == pytest.approx((0.3088, -0.7141, -1.0644, -0.3638), abs=5e-5)


def test_restricted_maximum_likelihood_with_hartung_and_knapp() -> None:
    """metafor rma(method="REML"), and with test="knha"; the prediction interval with k - 2 degrees of freedom."""
    found = summarise(RISK, RISK_VARIANCE)
    assert (found.mean, found.tau2, found.error) == pytest.approx((-0.7145, 0.3132, 0.1808), abs=5e-5)
    assert (found.low, found.high) == pytest.approx((-1.1084, -0.3206), abs=5e-5)
    assert found.prediction == pytest.approx((-2.0091, 0.5800), abs=5e-5)
    assert found.i2 == pytest.approx(0.9222, abs=5e-5)
    assert (found.tau2_low, found.tau2_high) == pytest.approx((0.1197, 1.1115), abs=5e-5)
    _, weights = weighted_mean(RISK, RISK_VARIANCE, found.tau2)
    error = 1 / math.sqrt(weights.sum())
    assert (error, found.mean - 1.959964 * error) == pytest.approx((0.1798, -1.0669), abs=5e-5)
    beyond = float(norm.ppf(0.975)) * math.sqrt(found.tau2 + error**2)
    assert (found.mean - beyond, found.mean + beyond) == pytest.approx((-1.8667, 0.4376), abs=5e-5)
    assert sum(found.weights) == pytest.approx(1)


def test_paule_and_mandel() -> None:
    assert paule_mandel(RISK, RISK_VARIANCE) == pytest.approx(0.3181, abs=5e-5)


def test_odds_ratios_by_maximum_likelihood() -> None:
    """van Houwelingen, Arends and Stijnen (2002), as on metafor's page of that analysis."""
    tau2 = maximum_likelihood(ODDS, ODDS_VARIANCE)
    mean, weights = weighted_mean(ODDS, ODDS_VARIANCE, tau2)
    assert (mean, 1 / math.sqrt(weights.sum()), tau2) == pytest.approx((-0.7420, 0.1780, 0.3025), abs=5e-5)
    assert q_profile(ODDS, ODDS_VARIANCE) == pytest.approx((0.1302, 1.1812), abs=1e-4)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("seed", range(5))
def test_tau2_equals_that_of_pymare(seed: int) -> None:
    from pymare.estimators import DerSimonianLaird, VarianceBasedLikelihoodEstimator

    chance = np.random.default_rng(seed)
    v = chance.uniform(0.02, 0.3, 8)
    y = chance.normal(0.5, np.sqrt(v + 0.2))
    ones = np.ones((8, 1))
    theirs = VarianceBasedLikelihoodEstimator(method="REML").fit(y[:, None], v[:, None], ones).params_["tau2"]
    assert summarise(y, v).tau2 == pytest.approx(float(np.squeeze(theirs)), abs=2e-5)
    moments = DerSimonianLaird().fit(y[:, None], v[:, None], ones).params_["tau2"]
    assert dersimonian_laird(y, v) == pytest.approx(float(np.squeeze(moments)), abs=1e-10)


def test_the_c_statistic_of_euroscore_over_23_validations() -> None:
    """EuroSCORE II (Guida et al. 2014; data of metamisc): 0.789 (0.765 to 0.811), prediction 0.679 to 0.868."""
    c, variance = [], []
    for row in beside_the_checkout("EuroSCORE.csv"):
        area = float(row["c.index"])
        low, high, error = row["c.index.95CIl"], row["c.index.95CIu"], row["se.c.index"]
        if _known(low) and _known(high):
            spread = (logit(float(high)) - logit(float(low))) / (2 * 1.959963984540054)
        elif _known(error):
            spread = float(error) / (area * (1 - area))
        else:
            from shared.metrics.sample_size import auc_error

            n, events = float(row["n"]), float(row["n.events"])
            spread = auc_error(area, events / n, int(n)) / (area * (1 - area))
        c.append(logit(area))
        variance.append(spread**2)
    found = summarise(c, variance)
    assert found.k == 23
    assert found.tau2 == pytest.approx(0.0701, abs=5e-5)
    assert found.i2 == pytest.approx(0.873, abs=5e-4)
    assert expit([found.mean, found.low, found.high]) == pytest.approx([0.789, 0.765, 0.811], abs=5e-4)
    assert found.prediction is not None
    assert expit(found.prediction) == pytest.approx([0.679, 0.868], abs=5e-4)


def _known(text: str) -> bool:
    return text not in ("", "NA")
