"""What describes groups of patients: quantiles from bins, and standardized differences between two groups."""

import math

import numpy as np
import numpy.typing as npt

from shared.metrics.tally import Floats


def quantile_of_bins(edges: Floats, counts: Floats, share: float) -> float:
    """The quantile of values of which only counts between ``edges`` are known, patients even within each bin."""
    below = np.concatenate([[0.0], np.cumsum(counts)])
    target = share * below[-1]
    place = int(np.clip(np.searchsorted(below, target, side="right") - 1, 0, len(counts) - 1))
    while counts[place] == 0 and place > 0:  # the end of the last bin that holds anybody
        place -= 1
    inside = (target - below[place]) / counts[place] if counts[place] else 0.0
    return float(edges[place] + inside * (edges[place + 1] - edges[place]))


def mean_difference(mean: tuple[float, float], variance: tuple[float, float]) -> float | None:
    """Standardized difference of two means; None where neither group varies."""
    pooled = math.sqrt((variance[0] + variance[1]) / 2)
    return (mean[0] - mean[1]) / pooled if pooled > 0 else None


def share_difference(first: npt.ArrayLike, second: npt.ArrayLike) -> float | None:
    """Standardized difference of two groups' counts of categories (Yang and Dalton 2012), not negative.

    None where the shares do not vary at all.
    """
    shares = [np.asarray(counts, dtype=np.float64)[1:] / np.sum(np.asarray(counts)) for counts in (first, second)]
    spread = sum((np.diag(share) - np.outer(share, share)) / 2 for share in shares)
    gap = shares[0] - shares[1]
    value = float(gap @ np.linalg.pinv(np.asarray(spread)) @ gap)
    return math.sqrt(value) if np.any(np.asarray(spread)) else None
