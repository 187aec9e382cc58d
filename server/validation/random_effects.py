"""Random-effects summary of figures of several hospitals, each with its own error.

tau2 is the variance between hospitals: by restricted maximum likelihood (Viechtbauer 2005), with the interval of the
Q-profile (Viechtbauer 2007); the mean's interval is Hartung and Knapp's (t with k - 1 degrees of freedom), the
prediction interval for another hospital uses t with k - 2 (Higgins 2009).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.stats import chi2, t

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Summary:
    """The mean over hospitals and how far they lie apart; intervals are 95 %."""

    k: int
    mean: float
    error: float  # Hartung and Knapp's
    low: float
    high: float
    tau2: float
    tau2_low: float
    tau2_high: float
    i2: float  # share of the variance that is between hospitals, 0 to 1
    prediction: tuple[float, float] | None  # None below three hospitals
    weights: tuple[float, ...]  # adding up to one


def summarise(estimates: npt.ArrayLike, variances: npt.ArrayLike, level: float = 0.95) -> Summary:
    """Summary of ``estimates`` (k,) with positive ``variances`` (k,), k at least 2."""
    y, v = np.asarray(estimates, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    k, tau2 = len(y), reml(y, v)
    mean, weights = weighted_mean(y, v, tau2)
    error = math.sqrt(float(np.sum(weights * (y - mean) ** 2)) / (k - 1) / float(weights.sum()))
    half = float(t.ppf((1 + level) / 2, k - 1)) * error
    beyond = float(t.ppf((1 + level) / 2, k - 2)) * math.sqrt(tau2 + error**2) if k > 2 else None
    low, high = q_profile(y, v, level)
    return Summary(
        k=k,
        mean=mean,
        error=error,
        low=mean - half,
        high=mean + half,
        tau2=tau2,
        tau2_low=low,
        tau2_high=high,
        i2=tau2 / (tau2 + typical_variance(v)),
        prediction=None if beyond is None else (mean - beyond, mean + beyond),
        weights=tuple((weights / weights.sum()).tolist()),
    )


def weighted_mean(y: Floats, v: Floats, tau2: float) -> tuple[float, Floats]:
    """Mean with inverse-variance weights, and the weights (k,)."""
    weights = 1 / (v + tau2)
    return float(weights @ y / weights.sum()), weights


def reml(y: Floats, v: Floats) -> float:
    """tau2 by restricted maximum likelihood: the highest of its likelihood's maxima, not below 0."""
    return _highest(lambda tau2: _likelihood(y, v, tau2, restricted=True), y, v)


def maximum_likelihood(y: Floats, v: Floats) -> float:
    """tau2 by maximum likelihood, which is too small for few hospitals."""
    return _highest(lambda tau2: _likelihood(y, v, tau2, restricted=False), y, v)


def dersimonian_laird(y: Floats, v: Floats) -> float:
    """tau2 by the method of moments (1986)."""
    w = 1 / v
    scale = w.sum() - (w**2).sum() / w.sum()
    return max(0.0, float((cochran_q(y, v, 0.0) - (len(y) - 1)) / scale))


def paule_mandel(y: Floats, v: Floats) -> float:
    """tau2 at which Q equals its expectation k - 1 (1982)."""
    return _tau2_of_q(y, v, len(y) - 1)


def q_profile(y: Floats, v: Floats, level: float = 0.95) -> tuple[float, float]:
    """Interval of tau2: the values at which Q has the ends of its chi-squared distribution."""
    outside = (1 - level) / 2
    return tuple(_tau2_of_q(y, v, float(chi2.isf(tail, len(y) - 1))) for tail in (outside, 1 - outside))  # type: ignore[return-value]


def cochran_q(y: Floats, v: Floats, tau2: float) -> float:
    """Weighted squared distance from the weighted mean."""
    mean, weights = weighted_mean(y, v, tau2)
    return float(weights @ (y - mean) ** 2)


def typical_variance(v: Floats) -> float:
    """Of a hospital's own error (Higgins and Thompson 2002)."""
    w = 1 / v
    return float((len(v) - 1) * w.sum() / (w.sum() ** 2 - (w**2).sum()))


def _likelihood(y: Floats, v: Floats, tau2: float, restricted: bool) -> float:
    _, weights = weighted_mean(y, v, tau2)
    value = np.log(weights).sum() - cochran_q(y, v, tau2)
    return float(value - np.log(weights.sum()) if restricted else value) / 2


def _highest(likelihood: Callable[[float], float], y: Floats, v: Floats) -> float:
    """The maximum over [0, far beyond]: a grid finds its neighbourhood, golden sections the place."""
    spread = float(np.var(y, ddof=1)) + float(v.max())
    grid = np.concatenate([[0.0], spread * np.logspace(-8, 2, 201)])
    best = int(np.argmax([likelihood(point) for point in grid]))
    low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, len(grid) - 1)])
    ratio = (math.sqrt(5) - 1) / 2
    for _ in range(120):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if likelihood(left) >= likelihood(right) else (left, high)
    middle = (low + high) / 2
    return middle if likelihood(middle) > likelihood(0.0) else 0.0


def _tau2_of_q(y: Floats, v: Floats, target: float) -> float:
    if cochran_q(y, v, 0.0) <= target:
        return 0.0
    high = float(np.var(y, ddof=1)) + 1e-12
    while cochran_q(y, v, high) > target:
        high *= 2
    return float(brentq(lambda tau2: cochran_q(y, v, tau2) - target, 0.0, high, xtol=1e-14))
