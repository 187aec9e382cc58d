"""How much noise each part of a run needs, so that the budget lasts to its end and no further."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from shared.privacy.accounting import Release, gathered, gaussian_mu, spent_epsilon
from shared.privacy.sampled import pld_epsilon

# An accountant's discretisation may exceed the closed form by this much; the plan stays below the budget by it.
MARGIN = 0.999
CLOSE = 2e-4  # of epsilon: how near to the budget the search for sampled releases aims
STEPS = 20  # it takes two to four
COARSE = 2e-3  # discretisation of the privacy loss where the search begins


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

    logarithm, slope = _rough(parts, epsilon, delta, math.log(total))
    for _ in range(STEPS):
        spent = spent_epsilon(_releases(parts, logarithm), delta)
        if 1 - 3 * CLOSE <= spent / epsilon <= 1:
            return _noises(parts, math.exp(logarithm))
        logarithm += math.log((1 - CLOSE) * epsilon / spent) / slope
    raise ValueError("no noise was found at which two accountants say that the budget is met")


def _rough(parts: Sequence[Part], epsilon: float, delta: float, begin: float) -> tuple[float, float]:
    """Logarithm of squared mu at which a coarse accountant meets the budget, and how fast log epsilon rises with it."""

    def over(logarithm: float) -> float:
        found = pld_epsilon(*gathered(_releases(parts, logarithm)), delta, COARSE)
        return math.log(max(found, epsilon / 100) / epsilon)

    low = high = begin
    while over(low) > 0:
        low -= 0.5
    while over(high) < 0:
        high += 0.5
    from scipy.optimize import brentq  # here, as a courier need not wait for scipy

    found = float(brentq(over, low, high, xtol=1e-3))
    return found, (over(found + 0.05) - over(found - 0.05)) / 0.1


def _releases(parts: Sequence[Part], logarithm: float) -> list[Release]:
    noises = _noises(parts, math.exp(logarithm))
    return [Release(noise, part.releases, part.sample_rate) for noise, part in zip(noises, parts, strict=True)]


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
