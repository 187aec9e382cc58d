"""Patients split at random over 2 to 20 sites give the figures of all together, for everything that is a sum."""

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import rankdata

from server.validation.random_effects import summarise
from shared.metrics.calibration import flexible, in_the_large, slope
from shared.metrics.classification import ConfusionTally
from shared.metrics.concordance import PairCounts
from shared.metrics.cox import Stratum, cox_regression
from shared.metrics.delong import paired_auc
from shared.metrics.kaplan_meier import LifeTable
from shared.metrics.log_rank import LogRankSums
from shared.metrics.newton import NewtonSums
from shared.metrics.pooled_delong import PlacementSums, bin_counts, binned_area, placement_sums, pooled_areas
from shared.metrics.regression import RegressionTally
from shared.metrics.risk import RiskTally
from shared.metrics.utility import benefit_of_counts, net_benefit

Floats = npt.NDArray[np.float64]
SEEDS = st.integers(0, 2**32 - 1)
SITES = st.integers(2, 20)
CLOSE = 1e-9


class Patients:
    """Invented patients, each at one of the sites."""

    def __init__(self, seed: int, sites: int, n: int = 240) -> None:
        chance = np.random.default_rng(seed)
        self.odds = np.round(chance.normal(-0.3, 1.2, n), int(chance.integers(1, 9)))  # coarse ones have ties
        self.outcome = (chance.random(n) < expit(0.2 + 0.8 * self.odds)).astype(np.float64)
        self.scores = np.stack([self.odds, np.round(self.odds + chance.normal(size=n), 1), chance.normal(size=n)])
        self.time = np.ceil(chance.exponential(30 * np.exp(-0.4 * self.odds)))
        self.event = (chance.random(n) < 0.7).astype(np.float64)
        self.group = (self.odds > 0).astype(np.float64)
        self.design = np.stack([self.odds, self.scores[2]], axis=1)
        self.number = chance.integers(0, sites, n)
        self.sites = [np.flatnonzero(self.number == site) for site in chance.permutation(sites)]
        self.sites = [rows for rows in self.sites if len(rows)]


def summed(parts: Sequence[Any]) -> Any:
    return reduce(add, parts)


@settings(deadline=None, max_examples=40)
@given(seed=SEEDS, sites=SITES)
def test_sums_of_risks_decisions_and_errors(seed: int, sites: int) -> None:
    p = Patients(seed, sites)
    for tally in (RiskTally, ConfusionTally, RegressionTally):
        assert summed([tally.of(p.outcome[rows], p.odds[rows]) for rows in p.sites]) == tally.of(p.outcome, p.odds)


@settings(deadline=None, max_examples=40)
@given(seed=SEEDS, sites=SITES)
def test_calibration_by_newton_sums(seed: int, sites: int) -> None:
    p = Patients(seed, sites)
    knots = np.array([-1.5, -0.5, 0.5, 1.5])

    def curve(parts: Sequence[tuple[Floats, Floats]]) -> Any:
        return flexible(parts, knots)

    for fit in (in_the_large, slope, curve):
        apart, together = fit([(p.outcome[rows], p.odds[rows]) for rows in p.sites]), fit([(p.outcome, p.odds)])
        assert apart is not None
        assert together is not None
        assert apart.coefficients == pytest.approx(together.coefficients, abs=CLOSE)
        assert apart.errors == pytest.approx(together.errors, abs=CLOSE)


@settings(deadline=None, max_examples=40)
@given(seed=SEEDS, sites=SITES)
def test_net_benefit_from_counts(seed: int, sites: int) -> None:
    p = Patients(seed, sites)
    thresholds, risk = np.array([0.1, 0.3, 0.5]), expit(p.odds)
    true, false = (
        summed([(risk[rows] >= thresholds[:, None]) @ side[rows] for rows in p.sites])
        for side in (p.outcome, 1 - p.outcome)
    )
    federated = benefit_of_counts(true, false, len(p.odds), thresholds)
    assert federated == pytest.approx(net_benefit(p.outcome, risk, thresholds), abs=CLOSE)


@settings(deadline=None, max_examples=40)
@given(seed=SEEDS, sites=SITES)
def test_pooled_paired_delong_in_two_rounds(seed: int, sites: int) -> None:
    """With an edge between any two distinct scores it is the pooled figure; on coarse bins that of the bins."""
    p = Patients(seed, sites)
    ranks = np.stack([np.unique(score, return_inverse=True)[1] for score in p.scores])
    for bins in (ranks, np.clip(np.floor(p.scores / 0.4) + 20, 0, 39).astype(np.int64)):
        count = int(bins.max()) + 1
        sides: list[PlacementSums] = []
        tallies = {
            klass: summed([bin_counts(bins[:, rows][:, p.outcome[rows] == klass], count) for rows in p.sites])
            for klass in (0, 1)
        }
        for klass in (0, 1):
            of_sites = [
                placement_sums(bins[:, rows][:, p.outcome[rows] == klass], tallies[1 - klass]) for rows in p.sites
            ]
            sides.append(summed(of_sites))
        others, events = sides
        found, exact = pooled_areas(events, others), paired_auc(p.outcome, bins)
        assert found.auc == pytest.approx(exact.auc, abs=CLOSE)
        assert found.covariance == pytest.approx(exact.covariance, abs=CLOSE)


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, sites=SITES)
def test_stratified_survival(seed: int, sites: int) -> None:
    """Log-rank and Cox over sites equal the stratified ones that statsmodels computes with all patients at hand."""
    from statsmodels.duration.hazard_regression import PHReg
    from statsmodels.duration.survfunc import survdiff

    p = Patients(seed, sites)
    parts = [LogRankSums.of(p.time[rows], p.event[rows], p.group[rows], 2) for rows in p.sites]
    theirs = survdiff(p.time, p.event, p.group, strata=p.number)
    assert summed(parts).test()[0] == pytest.approx(theirs[0], abs=CLOSE)
    fit = cox_regression([Stratum(p.time[rows], p.event[rows], p.design[rows]) for rows in p.sites], efron=False)
    pooled = PHReg(p.time, p.design, status=p.event, strata=p.number, ties="breslow").fit()
    assert fit is not None
    assert fit.coefficients == pytest.approx(pooled.params, abs=1e-7)  # as far as their optimizer goes


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, sites=SITES)
def test_life_tables_and_pairs_within_sites(seed: int, sites: int) -> None:
    p = Patients(seed, sites)
    edges = np.array([0.0, 7, 30, 90])
    tables = [LifeTable.of(p.time[rows], p.event[rows], p.group[rows], 2, edges) for rows in p.sites]
    whole = LifeTable.of(p.time, p.event, p.group, 2, edges)
    assert np.array_equal(summed(tables).survival(), whole.survival())
    assert np.array_equal(summed(tables).at_risk, whole.at_risk)
    pairs: PairCounts = summed([PairCounts.of(p.time[rows], p.event[rows], p.odds[rows]) for rows in p.sites])
    within, right = 0, 0.0
    for rows in p.sites:
        for i in rows[p.event[rows] == 1]:
            later = rows[(p.time[rows] > p.time[i]) | ((p.time[rows] == p.time[i]) & (p.event[rows] == 0))]
            within += len(later)
            right += float(np.sum(p.odds[i] > p.odds[later]) + 0.5 * np.sum(p.odds[i] == p.odds[later]))
    assert pairs.pairs == within
    if within:
        assert pairs.c() == pytest.approx(right / within, abs=CLOSE)


INVARIANT: dict[str, Callable[[Floats], Floats]] = {
    "expit": lambda score: np.asarray(expit(score)),
    "ranks": lambda score: np.asarray(rankdata(score)),
    "stretched": lambda score: 3 * score - 7,
}


@pytest.mark.parametrize("name", INVARIANT)
@given(seed=SEEDS)
def test_a_monotone_transform_changes_no_discrimination(name: str, seed: int) -> None:
    p = Patients(seed, 2, 60)
    before, after = (
        paired_auc(p.outcome, scores) for scores in (p.scores, np.stack([*map(INVARIANT[name], p.scores)]))
    )
    assert after.auc == pytest.approx(before.auc, abs=1e-12)
    assert after.covariance == pytest.approx(before.covariance, abs=1e-12)
    counts = [PairCounts.of(p.time, p.event, risk) for risk in (p.odds, INVARIANT[name](p.odds))]
    assert counts[0] == counts[1]


def test_shuffled_outcomes_have_an_auc_of_one_half() -> None:
    p = Patients(0, 2)
    chance = np.random.default_rng(0)
    aucs = [paired_auc(chance.permutation(p.outcome), p.scores).auc for _ in range(300)]
    assert np.mean(aucs, axis=0) == pytest.approx([0.5] * 3, abs=0.01)


@given(k=st.integers(2, 12), estimate=st.floats(-3, 3), variance=st.floats(1e-4, 2))
def test_hospitals_that_agree_differ_by_nothing(k: int, estimate: float, variance: float) -> None:
    found = summarise([estimate] * k, [variance] * k)
    assert (found.tau2, found.i2, found.tau2_low) == (0, 0, 0)
    assert found.mean == pytest.approx(estimate, abs=1e-12)
    assert found.weights == pytest.approx([1 / k] * k)
    assert (found.prediction is None) == (k < 3)


@settings(deadline=None)
@given(seed=SEEDS, k=st.integers(2, 12))
def test_the_order_of_hospitals_does_not_matter(seed: int, k: int) -> None:
    chance = np.random.default_rng(seed)
    y, v, order = chance.normal(size=k), chance.uniform(0.01, 1, k), chance.permutation(k)
    found, shuffled = summarise(y, v), summarise(y[order], v[order])
    assert (shuffled.mean, shuffled.tau2) == pytest.approx((found.mean, found.tau2), abs=1e-7)
    assert (shuffled.low, shuffled.high) == pytest.approx((found.low, found.high), abs=1e-6)
    assert found.tau2_low <= found.tau2_high
    assert found.low <= found.mean <= found.high


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS)
def test_gradient_and_information_are_derivatives_of_the_likelihood(seed: int) -> None:
    """Of the Cox model by both treatments of ties, by central differences."""
    from shared.metrics.cox import partial_likelihood

    p = Patients(seed, 2, 60)
    for efron in (True, False):
        sums_at = partial_likelihood(Stratum(p.time, p.event, p.design), efron)
        at, step = np.array([0.3, -0.2]), 1e-5
        centre: NewtonSums = sums_at(at)
        for axis in range(2):
            move = step * np.eye(2)[axis]
            up, down = sums_at(at + move), sums_at(at - move)
            assert (up.likelihood - down.likelihood) / (2 * step) == pytest.approx(centre.gradient[axis], abs=1e-4)
            assert (down.gradient - up.gradient) / (2 * step) == pytest.approx(centre.information[axis], abs=1e-4)


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS)
def test_the_area_of_counts_is_that_of_their_patients(seed: int) -> None:
    p = Patients(seed, 2, 80)
    bins = np.clip(np.floor(p.odds * 2) + 10, 0, 19).astype(np.int64)
    counts = [np.bincount(bins[p.outcome == klass], minlength=20).astype(np.float64) for klass in (1, 0)]
    found, exact = binned_area(*counts), paired_auc(p.outcome, bins[None].astype(np.float64))
    assert found.auc == pytest.approx(exact.auc, abs=1e-12)
    assert found.covariance == pytest.approx(exact.covariance, abs=1e-12)
