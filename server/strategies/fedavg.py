"""Federated averaging (McMahan et al. 2017), by parameter group, in float64, as replies arrive."""

from collections import defaultdict

import numpy as np
import numpy.typing as npt

from shared.model import group_of
from shared.wire import Arrays


class FedAvg:
    """Weighted mean of updates; a group is averaged over the hospitals that have it.

    Memory does not grow with the number of hospitals: each update is added and forgotten.
    """

    def __init__(self) -> None:
        self._sums: dict[str, npt.NDArray[np.float64]] = {}
        self._weights: dict[str, float] = defaultdict(float)
        self._contributors: dict[str, list[str]] = defaultdict(list)

    @property
    def contributors(self) -> dict[str, list[str]]:
        """Hospitals by group."""
        return self._contributors

    def add(self, site: str, weight: float, update: Arrays) -> None:
        """Take one hospital's update; ``weight`` is public and declared, never a count of its own."""
        for name, values in update.items():
            share = values.astype(np.float64)
            share *= weight
            if name in self._sums:
                self._sums[name] += share  # in place: a model of sums is in memory once
            else:
                self._sums[name] = share
        for group in {group_of(name) for name in update}:
            self._weights[group] += weight
            self._contributors[group].append(site)

    def updated(self, weights: Arrays, min_contributors: int) -> Arrays:
        """New weights; a group with fewer contributors than the minimum stays as it was."""
        return {
            name: (values + self._sums[name] / self._weights[group_of(name)]).astype(values.dtype)
            if name in self._sums and len(self._contributors[group_of(name)]) >= min_contributors
            else values
            for name, values in weights.items()
        }
