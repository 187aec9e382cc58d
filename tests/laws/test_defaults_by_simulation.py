"""The simulations that the defaults rest on: the interval's scale, the fixed grid with merged cells, clustering."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import norm

from shared.metrics.delong import auc_with_variance, clustered_auc, logit_interval
from shared.metrics.scores import ScoreTally

Floats = npt.NDArray[np.float64]
Z = 1.959963984540054


def gap_of(auc: float) -> float:
    """Distance of two standard normals that has this AUC."""
    return float(2**0.5 * norm.ppf(auc))


@pytest.mark.slow
def test_the_interval_of_an_auc_is_better_on_the_logit_scale() -> None:
    """AUC .95, 114 patients, a fifth with the event: Wald covers .872 and passes 1 in 26 %, the logit .938."""
    chance, replicates = np.random.default_rng(0), 10_000
    outcome = (np.arange(114) < 23).astype(np.float64)
    wald = logit = beyond = 0
    for _ in range(replicates):
        auc, variance = auc_with_variance(outcome, chance.normal(size=114) + gap_of(0.95) * outcome)
        half = Z * variance**0.5
        wald += auc - half <= 0.95 <= auc + half
        beyond += auc + half > 1
        interval = logit_interval(auc, variance)
        logit += interval is not None and interval[0] <= 0.95 <= interval[1]
    found = np.array([wald, beyond, logit]) / replicates
    assert found == pytest.approx([0.872, 0.26, 0.938], abs=0.015)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "error", "bias"),
    [(100, 0.0028, 0.0255), (200, 0.0021, 0.0113), (500, 0.0019, 0.0046), (1000, 0.0018, 0.0022)],
)
@pytest.mark.parametrize("stretch", [1.0, 3.0])
def test_the_fixed_grid_costs_little_and_merging_small_cells_costs_most_of_it(
    n: int, error: float, bias: float, stretch: float
) -> None:
    """Mean error of the AUC, calibrated scores and three times over-confident ones, prevalence .3, AUC .75 and .88."""
    chance, plain, merged = np.random.default_rng(n), [], []
    outcome = (np.arange(n) < 0.3 * n).astype(np.float64)
    for auc in (0.75, 0.88):
        d = gap_of(auc)
        for _ in range(300):
            odds = stretch * (d * (chance.normal(size=n) + d * (outcome - 0.5)) + np.log(0.3 / 0.7))
            exact, tally = auc_with_variance(outcome, odds)[0], ScoreTally.of(outcome, odds)
            plain.append((tally.auc() or 0.0) - exact)
            merged.append((tally.merged(5).auc() or 0.0) - exact)
    assert np.abs(plain).mean() < error * 1.1
    assert -bias < np.mean(merged) < 0.001  # ties pull an AUC towards one half


@pytest.mark.slow
def test_rows_of_a_patient_are_no_patients() -> None:
    """24 patients with 40 images each: intervals over images cover 38 %, over patients 92 % (truth by simulation)."""
    chance, patients, images = np.random.default_rng(0), 24, 40
    event = np.arange(patients) % 2
    patient, outcome = np.repeat(np.arange(patients), images), np.repeat(event, images).astype(np.float64)

    def score() -> Floats:
        own = chance.normal(size=patients) + 1.5 * event
        return np.asarray(np.repeat(own, images) + chance.normal(size=patients * images))

    truth = float(norm.cdf(1.5 / 2))
    covered = {"images": 0, "patients": 0}
    for _ in range(2000):
        scores = score()
        naive = auc_with_variance(outcome, scores)
        areas = clustered_auc(outcome, scores[None], patient)
        for name, variance in (("images", naive[1]), ("patients", float(areas.covariance[0, 0]))):
            interval = logit_interval(naive[0], variance)
            covered[name] += interval is not None and interval[0] <= truth <= interval[1]
    assert covered["images"] / 2000 == pytest.approx(0.38, abs=0.06)
    assert covered["patients"] / 2000 == pytest.approx(0.92, abs=0.025)
