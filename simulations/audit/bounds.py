"""Statistics of an audit: what a number of right guesses proves about epsilon, and what it never could."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri
from scipy.stats import beta, binom

from shared.privacy.accounting import gaussian_epsilon

CONFIDENCE = 0.95
POWER = 0.8  # how often a fault of the size called noticeable is noticed
MOST = 60.0  # epsilon beyond which nothing is looked for

Shown = Callable[[int], float]  # epsilon that a number of right guesses shows


def clopper_pearson(right: int, trials: int, error: float) -> tuple[float, float]:
    """Lower and upper bound of a binomial's probability, each wrong at most with probability ``error``."""
    low = float(beta.ppf(error, right, trials - right + 1)) if right else 0.0
    high = float(beta.ppf(1 - error, right + 1, trials - right)) if right < trials else 1.0
    return low, high


def step_epsilon(right: int, trials: int, delta: float, error: float) -> float:
    """Epsilon at ``delta`` that so many right guesses of a fair coin show; wrong at most with probability ``error``.

    Whoever guesses a fair coin from a Gaussian mechanism with ratio mu is right with probability ndtr(mu / 2) at most,
    so a lower bound of that probability is one of mu (Dong, Roth and Su 2022; Nasr et al. 2023).
    """
    low, _ = clopper_pearson(right, trials, error)
    return gaussian_epsilon(2 * float(ndtri(low)), delta) if low > 0.5 else 0.0


def one_run_epsilon(right: int, canaries: int, delta: float, error: float) -> float:
    """Epsilon at ``delta`` that so many right guesses show, one guess for each of ``canaries`` fair coins of a run.

    Steinke, Nasr and Jagielski 2023, theorem 5.2: no independence of the guesses is needed.
    """
    if _chance(right, canaries, 0.0, delta) > error:
        return 0.0
    if _chance(right, canaries, MOST, delta) <= error:
        return MOST
    return float(brentq(lambda epsilon: _chance(right, canaries, epsilon, delta) - error, 0.0, MOST, xtol=1e-9))


def _chance(right: int, canaries: int, epsilon: float, delta: float) -> float:
    """The most probable that an (epsilon, delta) mechanism makes so many right guesses or more."""
    rate = 1 / (1 + np.exp(-epsilon))
    below = np.cumsum(binom.pmf(np.arange(right - 1, -1, -1), canaries, rate))  # P[right > X >= right - i], i from 1
    slope = float(np.max(below / np.arange(1, right + 1), initial=0.0))
    return min(1.0, float(binom.sf(right - 1, canaries, rate)) + 2 * canaries * delta * slope)


def noticed_epsilon(shown: Shown, trials: int, declared: float, delta: float) -> float | None:
    """The true epsilon from which on a Gaussian mechanism is found to pass ``declared`` in 4 of 5 audits.

    ``None`` where not even right guesses only would show it.
    """
    if shown(trials) <= declared:
        return None
    few, enough = trials // 2, trials  # the fewest right guesses that show it, by bisection
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if shown(middle) > declared else (middle, enough)
    rate = float(beta.ppf(POWER, enough, trials - enough + 1))  # P[binomial(trials, rate) >= enough] = POWER
    return gaussian_epsilon(2 * float(ndtri(rate)), delta)


def auc_limit(mu: float) -> float:
    """The highest AUC of any attack on membership in a Gaussian mechanism with ratio mu."""
    return float(ndtr(mu / 2**0.5))


def true_positive_limit(false_positives: float, mu: float) -> float:
    """The highest rate of members found at a rate of false alarms, of any attack on the same mechanism."""
    return float(ndtr(ndtri(false_positives) + mu))
