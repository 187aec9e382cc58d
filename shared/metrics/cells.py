"""Counts of one class on one fixed grid, and the merging of small cells before they leave a hospital.

The grid is the same everywhere and known beforehand, so an edge tells nothing of a patient. Edges are tried in one
fixed order, the middle first, and an edge stays only if both its sides hold no patient or enough.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from shared.metrics.tally import Floats

BINS = 100


def edge_order(bins: int) -> list[int]:
    """Inner edges 1..bins-1 by repeated halving, breadth first: the same order at every site."""
    order: list[int] = []
    level = [(0, bins)]
    while level:
        level = [(low, high) for low, high in level if high - low > 1]
        order += [(low + high) // 2 for low, high in level]
        level = [half for low, high in level for half in ((low, (low + high) // 2), ((low + high) // 2, high))]
    return order


@dataclass(frozen=True)
class Cells:
    """``counts`` of patients between ``edges``, bin numbers of which 0 is the first and BINS the last."""

    edges: tuple[int, ...]
    counts: tuple[float, ...]

    @classmethod
    def of(cls, places: Floats) -> "Cells":
        """Count patients by their place on the grid, (patients,) in bins; beyond it the first or the last bin."""
        bins = np.clip(np.floor(places), 0, BINS - 1).astype(np.int64)  # clipped first: a huge score has no integer
        return cls(tuple(range(BINS + 1)), tuple(np.bincount(bins, minlength=BINS).tolist()))

    def __add__(self, other: "Cells") -> "Cells":
        """Both together, on the edges that they share."""
        common = sorted(set(self.edges) & set(other.edges))
        pairs = zip(self.coarsened(common).counts, other.coarsened(common).counts, strict=True)
        return Cells(tuple(common), tuple(mine + theirs for mine, theirs in pairs))

    @property
    def total(self) -> float:
        """Patients in all."""
        return sum(self.counts)

    @property
    def occupied(self) -> int:
        """Cells with at least one patient."""
        return sum(1 for count in self.counts if count)

    def coarsened(self, edges: Sequence[int]) -> "Cells":
        """The same patients in the cells between ``edges``, each of which is an edge here."""
        starts = [self.edges.index(edge) for edge in edges[:-1]]
        return Cells(tuple(edges), tuple(np.add.reduceat(np.array(self.counts), starts).tolist()))

    def spread(self, edges: Iterable[int]) -> "Cells":
        """The same patients over finer cells, each cell's evenly over its width."""
        finer = tuple(edges)
        cumulated = np.interp(finer, self.edges, np.concatenate([[0.0], np.cumsum(self.counts)]))
        return Cells(finer, tuple(np.diff(cumulated).tolist()))

    def merged(self, min_cell: int) -> "Cells":
        """The finest cells of which none holds more than no patient and fewer than ``min_cell``."""
        below = dict(zip(self.edges, np.concatenate([[0], np.cumsum(self.counts)]).tolist(), strict=True))
        kept = [self.edges[0], self.edges[-1]]
        for edge in edge_order(BINS):
            if edge not in below:
                continue
            left, right = max(e for e in kept if e < edge), min(e for e in kept if e > edge)
            sides = below[edge] - below[left], below[right] - below[edge]
            if all(count == 0 or count >= min_cell for count in sides):
                kept = sorted([*kept, edge])
        return self.coarsened(kept)
