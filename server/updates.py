"""The updates of one round: on disk until all are in, held against each other, then combined piece by piece.

So memory does not grow with the number of hospitals, and the order in which they answer changes nothing.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt

from server.spool import Spool
from shared.parameters import group_of
from shared.wire import Arrays

FACTOR = 1e3  # times the median size of the others: no two hospitals' data differ by that
PIECE = 1 << 16  # values that are combined at once

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Piece:
    """Some values of one parameter, in C order."""

    name: str
    start: int
    stop: int


@dataclass(frozen=True)
class Group:
    """One parameter group, and the hospitals that trained it, with their weights, in the order of their names."""

    values: Spool[tuple[str, str]]  # updates by hospital and parameter
    weights: Mapping[str, float]
    sizes: Mapping[str, int]  # values by parameter

    def pieces(self) -> Iterator[Piece]:
        """All values of the group."""
        for name, size in self.sizes.items():
            for start in range(0, size, PIECE):
                yield Piece(name, start, min(size, start + PIECE))

    def row(self, site: str, piece: Piece) -> Floats:
        """What one hospital sent, (values,)."""
        return self.values.part((site, piece.name), piece.start, piece.stop).astype(np.float64)

    def stack(self, piece: Piece) -> Floats:
        """What all hospitals sent, (hospitals, values)."""
        return np.stack([self.row(site, piece) for site in self.weights])


Combination = Callable[[Piece], Floats]
Strategy = Callable[[Group], Combination]


@dataclass(frozen=True)
class Outsized:
    """An update that is not taken, and how many times larger it is than the others' median."""

    site: str
    times: float


class Updates:
    """Takes the updates of one round as they arrive, and gives the next weights."""

    def __init__(self, folder: Path) -> None:
        self._values: Spool[tuple[str, str]] = Spool(folder)
        self._weights: dict[str, float] = {}
        self._names: dict[str, list[str]] = {}
        self._sizes: dict[str, float] = {}

    def add(self, site: str, weight: float, update: Arrays) -> None:
        """Take one hospital's update; ``weight`` is public and declared, never a count of its own."""
        for name, values in update.items():
            self._values[site, name] = values
        self._weights[site], self._names[site], self._sizes[site] = weight, list(update), size(update)

    def reject_outsized(self) -> list[Outsized]:
        """Forget each update that is ``FACTOR`` times the size of the others' median, the largest first."""
        rejected = []
        while len(self._sizes) > 1:
            largest = max(self._sizes, key=self._sizes.__getitem__)
            # A hospital without a group in this stage sends nothing.
            others = [value for site, value in self._sizes.items() if site != largest and value > 0]
            if not others or self._sizes[largest] <= FACTOR * median(others):
                break
            rejected.append(Outsized(largest, self._sizes[largest] / median(others)))
            for known in (self._weights, self._names, self._sizes):
                del known[largest]
        return rejected

    @property
    def sites(self) -> list[str]:
        """Hospitals whose updates count, by name."""
        return sorted(self._names)

    @property
    def contributors(self) -> dict[str, list[str]]:
        """Hospitals by parameter group."""
        groups: dict[str, list[str]] = {}
        for site in self.sites:
            for group in dict.fromkeys(group_of(name) for name in self._names[site]):
                groups.setdefault(group, []).append(site)
        return groups

    def of(self, site: str) -> Arrays:
        """One hospital's update, read from the disk."""
        return {name: self._values[site, name] for name in self._names[site]}

    def moved(self, weights: Arrays, strategy: Strategy, min_contributors: int) -> Arrays:
        """The next weights; a group with fewer contributors than the minimum stays as it was."""
        new = dict(weights)
        for name, sites in self.contributors.items():
            if len(sites) < min_contributors:
                continue
            names = [one for one in self._names[sites[0]] if group_of(one) == name]
            sizes = {one: weights[one].size for one in names}
            group = Group(self._values, {site: self._weights[site] for site in sites}, sizes)
            combined = strategy(group)
            new |= {one: np.array(weights[one], order="C") for one in names}
            for piece in group.pieces():
                flat = new[piece.name].reshape(-1)[piece.start : piece.stop]
                flat[:] = flat + combined(piece)
        return new


def size(update: Arrays) -> float:
    """Root mean square of all values; the same for hospitals that hold different groups."""
    values = sum(array.size for array in update.values())
    return math.sqrt(sum(float(np.vdot(array, array)) for array in update.values()) / max(values, 1))
