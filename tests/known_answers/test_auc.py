"""AUC, DeLong's variance and Wilson's interval against figures that others computed."""

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import brier_score_loss, roc_auc_score

from shared.metrics.classification import wilson
from shared.metrics.delong import auc_with_variance, logit_interval
from shared.metrics.risk import RiskTally

# Patients after a subarachnoid haemorrhage (Turck et al. 2010), the example data of pROC (Robin et al. 2011, GPL-3),
# which are not part of this project; the constants are from pROC's own tests, version 1.19.0.1.
ASAH = Path(__file__).parents[3] / "shared" / "known-answers" / "aSAH.csv"
PROC = {
    "wfns": (0.823678861788618, 0.00146991470882363),
    "ndka": (0.611957994579946, 0.0031908105493913),
    "s100b": (0.731368563685637, 0.00266868245717244),
}


@pytest.mark.skipif(not ASAH.exists(), reason="pROC's data set aSAH is not beside the checkout")
@pytest.mark.parametrize("marker", PROC)
def test_auc_and_variance_equal_those_of_proc(marker: str) -> None:
    with ASAH.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    outcome = np.array([row["outcome"] == "Poor" for row in rows], dtype=np.float64)
    assert (len(outcome), outcome.sum()) == (113, 41)
    auc, variance = auc_with_variance(outcome, np.array([float(row[marker]) for row in rows]))
    assert auc == pytest.approx(PROC[marker][0], abs=1e-10)
    assert variance == pytest.approx(PROC[marker][1], abs=1e-10)


def test_the_logit_interval_of_s100b() -> None:
    found = logit_interval(*PROC["s100b"])
    assert found == pytest.approx((0.619217, 0.820086), abs=1e-6)


def test_auc_by_hand() -> None:
    """Two events (3, 1) and three others (2, 1, 0): wins 3 and 1, one tie: 4.5 of 6 pairs."""
    auc, variance = auc_with_variance([1, 1, 0, 0, 0], [3, 1, 2, 1, 0])
    assert auc == 4.5 / 6
    above, below = np.array([1.0, 0.5]), np.array([0.5, 0.75, 1.0])
    assert variance == pytest.approx(above.var(ddof=1) / 2 + below.var(ddof=1) / 3)


@pytest.mark.parametrize("seed", range(20))
def test_auc_and_brier_equal_those_of_scikit_learn(seed: int) -> None:
    chance = np.random.default_rng(seed)
    outcome = np.r_[0, 0, 1, 1, chance.integers(0, 2, 60)].astype(np.float64)
    score = np.round(chance.normal(size=64) + outcome, int(seed % 3))  # rounded: with ties
    assert auc_with_variance(outcome, score)[0] == pytest.approx(roc_auc_score(outcome, score), abs=1e-12)
    assert RiskTally.of(outcome, score).brier == pytest.approx(brier_score_loss(outcome, expit(score)), abs=1e-12)


@pytest.mark.parametrize("outcome", [[0, 0, 0, 1], [1, 1, 1, 0], [0, 0, 0, 0], []])
def test_too_few_of_a_class_is_an_error_not_a_half(outcome: list[int]) -> None:
    with pytest.raises(ValueError, match="two patients of each class"):
        auc_with_variance(outcome, [0.0] * len(outcome))


def test_the_interval_stays_inside_and_is_none_where_it_is_undefined() -> None:
    assert logit_interval(1.0, 0.0) is None
    assert logit_interval(0.0, 0.0) is None
    wide = logit_interval(0.999999, 0.01)  # a variance that no sample has, as a broken reply may
    assert wide is not None
    assert 0 <= wide[0] < 0.999999 < wide[1] <= 1


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"), [(125, 137, 0.85314, 0.94918), (54, 67, 0.69581, 0.88295)]
)
def test_wilson_intervals(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson(successes, trials) == pytest.approx((low, high), abs=5e-6)


def test_wilson_at_the_ends() -> None:
    assert wilson(0, 20)[0] == pytest.approx(0, abs=1e-12)
    assert wilson(20, 20)[1] == pytest.approx(1, abs=1e-12)


@pytest.mark.slow
def test_the_logit_interval_covers_the_truth() -> None:
    """AUC .95 at 114 patients, 38 of them with an event: near 95 % of 2,000 samples."""
    chance, truth, covered = np.random.default_rng(0), 0.95, 0
    outcome = (np.arange(114) % 3 == 0).astype(np.float64)
    gap = 2**0.5 * 1.6448536269514722  # AUC = Phi(gap / sqrt 2)
    for _ in range(2000):
        interval = logit_interval(*auc_with_variance(outcome, chance.normal(size=114) + gap * outcome))
        covered += interval is None or interval[0] <= truth <= interval[1]
    assert 0.93 < covered / 2000 < 0.98
