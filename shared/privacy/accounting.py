"""From noise to epsilon: the closed form of the Gaussian mechanism, and all releases of a hospital together.

Adjacency is zero-out: one patient's record replaced by an empty one, the number of patients public. Every release of a
full batch is a Gaussian mechanism; k of them with noise multipliers s_i are together one with 1/s^2 = sum 1/s_i^2.
Where any release is of a Poisson sample, the figure is the larger of two accountants' (``sampled.py``).
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

from shared.privacy.sampled import Sampled, pld_epsilon, prv_epsilon, sampled_power


class Release(NamedTuple):
    """``steps`` Gaussian releases, each of a sum over patients who were drawn with probability ``sample_rate``."""

    noise_multiplier: float
    steps: int
    sample_rate: float = 1.0


Releases = Iterable[Release | tuple[float, int]]  # a pair is of full batches


def gaussian_delta(mu: float, epsilon: float) -> float:
    """Delta of a Gaussian mechanism with sensitivity/noise ratio ``mu`` (Balle and Wang 2018, theorem 8)."""
    if mu == 0:
        return 0.0
    from scipy.special import log_ndtr, ndtr  # here, as a courier reads ledgers' types and need not wait for scipy

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


def spent_epsilon(releases: Releases, delta: float) -> float:
    """Epsilon at ``delta`` of all releases together.

    Of full batches by the closed form, which is exact for them; with Poisson samples the larger of two accountants'.
    """
    full, sampled = gathered(releases)
    if sampled:
        return max(pld_epsilon(full, sampled, delta), prv_epsilon(full, sampled, delta))
    return gaussian_epsilon(math.sqrt(full), delta)


def composed_epsilon(releases: Releases, delta: float) -> float:
    """The larger of ``spent_epsilon`` and an independent accountant's figure (privacy loss distributions)."""
    parts = [Release(*release) for release in releases]
    return max(pld_epsilon(*gathered(parts), delta), spent_epsilon(parts, delta))


def detection(releases: Releases, wrongly: float) -> float:
    """The most that any test which accuses a share ``wrongly`` of the unused records finds of the used ones."""
    from scipy.special import ndtr, ndtri

    full, sampled = gathered(releases)
    return sampled_power(full, sampled, wrongly) if sampled else float(ndtr(ndtri(wrongly) + math.sqrt(full)))


def gathered(releases: Releases) -> tuple[float, Sampled]:
    """Squared mu of all full batches, sum of steps / noise_multiplier^2; and the sampled (noise, rate, steps), sorted.

    Composition does not depend on the order, so that a ledger of any length is one key for the accountants' caches.
    """
    full, steps = list[float](), Counter[tuple[float, float]]()
    for release in releases:
        noise, count, rate = Release(*release)
        if rate < 1:
            steps[noise, rate] += count
        else:
            full.append(count / noise**2)
    return math.fsum(full), tuple((*key, steps[key]) for key in sorted(steps))
