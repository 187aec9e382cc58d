"""Tests of a difference: the normal test of two paired estimates, Holm's adjustment, and a margin."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm


@dataclass(frozen=True)
class Difference:
    """A difference with its interval and two-sided p; ``z`` and ``p`` are None where its variance is zero."""

    value: float
    low: float
    high: float
    z: float | None
    p: float | None

    def non_inferior(self, margin: float) -> bool:
        """Whether the interval rules out a loss of ``margin`` or more; higher values are better."""
        return self.low > -margin


def normal_difference(value: float, variance: float, level: float = 0.95) -> Difference:
    """Wald interval and test of a difference, for AUCs DeLong's (1988)."""
    error = math.sqrt(max(variance, 0.0))
    half = float(norm.ppf((1 + level) / 2)) * error
    z = value / error if error > 0 else None
    return Difference(value, value - half, value + half, z, None if z is None else float(2 * norm.sf(abs(z))))


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p of a family of tests, in its order (Holm 1979)."""
    order = np.argsort(p, kind="stable")
    steps = np.minimum(np.maximum.accumulate(np.asarray(p)[order] * np.arange(len(p), 0, -1)), 1.0)
    adjusted = np.empty(len(p))
    adjusted[order] = steps
    return [float(value) for value in adjusted]
