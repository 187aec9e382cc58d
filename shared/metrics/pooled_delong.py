"""Paired DeLong over several hospitals in two rounds: tallies first, then sums of products of placements.

Round 1: each hospital's counts of each model's scores on common bins, by class, are added. Round 2: each places its
patients among the pooled others and returns sums, from which the covariance follows exactly for the binned scores.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.metrics.delong import Areas, Floats

Bins = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PlacementSums:
    """Patients of one class: how many, sums of placements (models,), and of their products (models, models)."""

    n: float  # whole, but for counts that were spread over finer bins
    sums: Floats
    products: Floats

    def __add__(self, other: "PlacementSums") -> "PlacementSums":
        """Both groups together."""
        return PlacementSums(self.n + other.n, self.sums + other.sums, self.products + other.products)

    def covariance_of_mean(self) -> Floats:
        """Covariance (models, models) of the mean placement."""
        centred = self.products - np.outer(self.sums, self.sums) / self.n
        return centred / (self.n - 1) / self.n


def bin_counts(bins: Bins, count: int) -> Floats:
    """Round 1: patients of one class in each of ``count`` bins, (models, count), from ``bins`` (models, patients)."""
    return np.stack([np.bincount(row, minlength=count) for row in bins]).astype(np.float64)


def placement_sums(bins: Bins, opposite: Floats) -> PlacementSums:
    """Round 2: place patients of one class, ``bins`` (models, patients), among the pooled counts of the opposite."""
    share_below = (opposite.cumsum(axis=1) - opposite / 2) / opposite.sum(axis=1, keepdims=True)
    placements = np.take_along_axis(share_below, bins, axis=1)
    return PlacementSums(bins.shape[1], placements.sum(axis=1), placements @ placements.T)


def binned_area(events: Floats, others: Floats) -> Areas:
    """AUC and variance of one model from pooled counts (bins,) of both classes on the same bins, two of each class."""
    sides = []
    for own, opposite in ((events, others), (others, events)):
        placements = (opposite.cumsum() - opposite / 2) / opposite.sum()
        sums, squares = np.array([own @ placements]), np.array([[own @ placements**2]])
        sides.append(PlacementSums(float(own.sum()), sums, squares))
    return pooled_areas(*sides)


def pooled_areas(events: PlacementSums, others: PlacementSums) -> Areas:
    """AUCs and covariance of the pooled scores, from all hospitals' sums of both classes, two patients of each."""
    return Areas(events.sums / events.n, events.covariance_of_mean() + others.covariance_of_mean())
