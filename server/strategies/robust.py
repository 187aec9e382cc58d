"""Strategies that a few wrong hospitals cannot steer; they hold all replies of a round, and each hospital has one vote.

The median and Krum publish single hospitals' values, so a study may use them only under dp-sgd, or where it says that
one hospital's values may be published.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import trim_mean

from shared.model import group_of
from shared.wire import Arrays

Stack = npt.NDArray[np.float64]  # (hospitals, values): the flat updates of one parameter group
TRIMMED = 0.3  # of the hospitals, at each end: two of seven, one of four or five


class Robust:
    """Keeps updates by parameter group and hospital, and combines each group; subclasses say how."""

    def __init__(self) -> None:
        self._updates: dict[str, dict[str, Arrays]] = defaultdict(dict)

    def add(self, site: str, weight: float, update: Arrays) -> None:
        """Take one hospital's update; its weight does not count."""
        for name, values in update.items():
            self._updates[group_of(name)].setdefault(site, {})[name] = values

    @property
    def contributors(self) -> dict[str, list[str]]:
        """Hospitals by group."""
        return {group: list(updates) for group, updates in self._updates.items()}

    def updated(self, weights: Arrays, min_contributors: int) -> Arrays:
        """New weights; a group with fewer contributors than the minimum stays as it was."""
        new = dict(weights)
        for updates in self._updates.values():
            if len(updates) >= min_contributors:
                new |= self._moved(weights, [updates[site] for site in sorted(updates)])
        return new

    def _moved(self, weights: Arrays, updates: Sequence[Arrays]) -> Arrays:
        names = sorted(updates[0])
        stack = np.stack([np.concatenate([update[name].ravel() for name in names]) for update in updates])
        parts = np.split(self.combined(stack.astype(np.float64)), np.cumsum([updates[0][n].size for n in names])[:-1])
        return {
            name: (weights[name] + part.reshape(weights[name].shape)).astype(weights[name].dtype)
            for name, part in zip(names, parts, strict=True)
        }

    def combined(self, stack: Stack) -> Stack:
        """One update (values,) from those of the hospitals."""
        raise NotImplementedError


class Median(Robust):
    """Median of each value (Yin et al. 2018)."""

    def combined(self, stack: Stack) -> Stack:
        """The middle of each value."""
        middle: Stack = np.median(stack, axis=0)
        return middle


class TrimmedMean(Robust):
    """Mean of each value without the highest and lowest three tenths of the hospitals (Yin et al. 2018)."""

    def combined(self, stack: Stack) -> Stack:
        """Below four hospitals nothing is trimmed."""
        mean: Stack = trim_mean(stack, TRIMMED, axis=0)
        return mean


class Krum(Robust):
    """The update nearest to its neighbours (Blanchard et al. 2017), for up to three tenths of wrong hospitals."""

    def combined(self, stack: Stack) -> Stack:
        """One hospital's own update."""
        hospitals = len(stack)
        neighbours = max(1, hospitals - int(TRIMMED * hospitals) - 2)
        distances = np.square(stack[:, None] - stack[None]).sum(axis=2)
        scores = np.sort(distances, axis=1)[:, 1 : 1 + neighbours].sum(axis=1)
        chosen: Stack = stack[int(np.argmin(scores))]
        return chosen
