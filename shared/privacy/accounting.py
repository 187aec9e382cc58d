"""From noise to epsilon: the closed form of the Gaussian mechanism and its accountant over many releases.

Adjacency is zero-out: one patient's record replaced by an empty one, the number of patients public. Every release of a
full batch is a Gaussian mechanism; k of them with noise multipliers s_i are together one with 1/s^2 = sum 1/s_i^2.
"""

import math
from collections.abc import Callable, Iterable
from functools import lru_cache

from scipy.special import log_ndtr, ndtr


def gaussian_delta(mu: float, epsilon: float) -> float:
    """Delta of a Gaussian mechanism with sensitivity/noise ratio ``mu`` (Balle and Wang 2018, theorem 8)."""
    if mu == 0:
        return 0.0
    return float(ndtr(mu / 2 - epsilon / mu) - math.exp(epsilon + log_ndtr(-mu / 2 - epsilon / mu)))


def gaussian_epsilon(mu: float, delta: float) -> float:
    """Epsilon at ``delta`` of a Gaussian mechanism with ratio ``mu``; 0 where delta alone suffices."""
    if mu == 0 or gaussian_delta(mu, 0.0) <= delta:
        return 0.0
    high = 1.0
    while gaussian_delta(mu, high) > delta:
        high *= 2
    return _last(lambda epsilon: gaussian_delta(mu, epsilon) > delta, 0.0, high)[1]


def gaussian_mu(epsilon: float, delta: float) -> float:
    """The largest ratio mu whose Gaussian mechanism is (epsilon, delta) private."""
    high = 1.0
    while gaussian_delta(high, epsilon) < delta:
        high *= 2
    return _last(lambda mu: gaussian_delta(mu, epsilon) <= delta, 0.0, high)[0]


def _last(holds: Callable[[float], bool], low: float, high: float) -> tuple[float, float]:
    """Halve [low, high], where ``holds`` at low and not at high, to neighbouring floats: the last and the first not."""
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low, high


def squared_mu(releases: Iterable[tuple[float, int]]) -> float:
    """Sum of steps / noise_multiplier^2 over ``releases`` of (noise multiplier, steps)."""
    return math.fsum(steps / noise**2 for noise, steps in releases)


def spent_epsilon(releases: Iterable[tuple[float, int]], delta: float) -> float:
    """Epsilon at ``delta`` of all full-batch releases together, by the closed form, which is exact for them."""
    return gaussian_epsilon(math.sqrt(squared_mu(releases)), delta)


def composed_epsilon(releases: Iterable[tuple[float, int]], delta: float) -> float:
    """The larger of the closed form's figure and that of an independent accountant (privacy loss distributions)."""
    total = squared_mu(releases)
    return max(_pld_epsilon(total, delta), gaussian_epsilon(math.sqrt(total), delta))


@lru_cache
def _pld_epsilon(total: float, delta: float) -> float:
    from dp_accounting import GaussianDpEvent, NeighboringRelation
    from dp_accounting.pld import PLDAccountant

    if total == 0:
        return 0.0
    accountant = PLDAccountant(neighboring_relation=NeighboringRelation.REPLACE_SPECIAL)
    accountant.compose(GaussianDpEvent(1 / math.sqrt(total)))
    return float(accountant.get_epsilon(delta))
