"""How much noise each part of a run needs, so that the budget lasts to its end and no further."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from scipy.optimize import brentq

from shared.privacy.accounting import Release, gaussian_mu, spent_epsilon

# An accountant's discretisation may exceed the closed form by this much; the plan stays below the budget by it.
MARGIN = 0.999
CLOSE = 1e-4  # of the logarithm of squared mu, with which the search for sampled releases ends; half of it is epsilon's


class Part(NamedTuple):
    """A part of a run: its share of the squared budget, its releases, and how likely each reads a patient."""

    share: float
    releases: int
    sample_rate: float


@lru_cache(maxsize=256)
def multipliers(parts: Sequence[Part], epsilon: float, delta: float) -> tuple[float, ...]:
    """Noise multipliers that together cost just below ``epsilon`` at ``delta``.

    Of full batches in closed form: T releases with share s of mu^2 need sqrt(T / (s mu^2)), and their composition is a
    Gaussian mechanism with ratio mu, whose epsilon is the budget. With Poisson samples mu^2 is searched, such that the
    ledger's own figure (the larger of two accountants') meets the budget.
    """
    total = gaussian_mu(epsilon * MARGIN, delta) ** 2
    if all(part.sample_rate == 1 for part in parts):
        return _noises(parts, total)

    def over(logarithm: float) -> float:
        noises = _noises(parts, math.exp(logarithm))
        releases = [Release(noise, part.releases, part.sample_rate) for noise, part in zip(noises, parts, strict=True)]
        return min(spent_epsilon(releases, delta), 100 * epsilon) / (epsilon * (1 - 2 * CLOSE)) - 1

    low = high = math.log(total)
    while over(low) > 0:
        low -= 0.5
    while over(high) < 0:
        high += 0.5
    best = brentq(over, low, high, xtol=CLOSE / 2)
    while over(best) > CLOSE:  # an accountant's figure has small steps
        best -= CLOSE
    return _noises(parts, math.exp(best))


def _noises(parts: Sequence[Part], total: float) -> tuple[float, ...]:
    """Each part's noise for its share of ``total``, a squared mu.

    Of samples it is the one of the central limit, q^2 T (e^(1/s^2) - 1) (Bu, Dong, Long, Su 2020): it divides the
    budget between the stages, and never says what they cost.
    """
    return tuple(
        math.sqrt(releases / (share * total))
        if rate == 1
        else 1 / math.sqrt(math.log1p(share * total / (rate**2 * releases)))
        for share, releases, rate in parts
    )
