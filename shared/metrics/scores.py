"""Scores by class on one fixed grid of the logit: what ROC curves and pooled AUCs are made of.

The grid is the same everywhere and known beforehand, so a cell's edges tell nothing of a patient. Cells that hold a
few patients are merged before they leave a site: edges are tried in one fixed order, coarse first, and an edge stays
only if both sides of it hold, of each class, no patient or enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shared.metrics.tally import Floats

BINS = 100
LOW, HIGH = -10.0, 10.0


def edge_order(bins: int) -> list[int]:
    """Inner edges 1..bins-1 by repeated halving, breadth first: the same order at every site."""
    order: list[int] = []
    level = [(0, bins)]
    while level:
        order += [(low + high) // 2 for low, high in level if high - low > 1]
        level = [
            half
            for low, high in level
            if high - low > 1
            for half in ((low, (low + high) // 2), ((low + high) // 2, high))
        ]
    return order


@dataclass(frozen=True)
class ScoreTally:
    """Counts by cell: ``edges`` are bin numbers, 0 first and BINS last; events and others have one entry a cell."""

    edges: tuple[int, ...]
    events: tuple[float, ...]
    others: tuple[float, ...]

    @classmethod
    def of(cls, outcome: Floats, score: Floats) -> "ScoreTally":
        """Count patients into all bins of the grid; scores beyond it count in its first or last bin."""
        places = (np.clip(score, LOW, HIGH) - LOW) / (HIGH - LOW) * BINS  # clipped first: a huge score has no integer
        bins = np.minimum(places.astype(np.int64), BINS - 1)
        events = np.bincount(bins[outcome == 1], minlength=BINS)
        others = np.bincount(bins[outcome == 0], minlength=BINS)
        return cls(tuple(range(BINS + 1)), tuple(events.tolist()), tuple(others.tolist()))

    def __add__(self, other: "ScoreTally") -> "ScoreTally":
        """Coarsen both to their common edges, and add."""
        common = sorted(set(self.edges) & set(other.edges))
        mine, theirs = self.coarsened(common), other.coarsened(common)
        return ScoreTally(
            tuple(common),
            tuple(a + b for a, b in zip(mine.events, theirs.events, strict=True)),
            tuple(a + b for a, b in zip(mine.others, theirs.others, strict=True)),
        )

    def coarsened(self, edges: Sequence[int]) -> "ScoreTally":
        """The same patients in the cells between ``edges``, each of which is an edge here."""
        starts = [self.edges.index(edge) for edge in edges[:-1]]
        events = np.add.reduceat(np.array(self.events), starts)
        others = np.add.reduceat(np.array(self.others), starts)
        return ScoreTally(tuple(edges), tuple(events.tolist()), tuple(others.tolist()))

    def spread(self, edges: Sequence[int]) -> "ScoreTally":
        """The same patients over the finer cells between ``edges``, each cell's evenly over its width."""
        finer = np.asarray(edges)

        def over(counts: Sequence[float]) -> tuple[float, ...]:
            cumulated = np.interp(finer, self.edges, np.concatenate([[0.0], np.cumsum(counts)]))
            return tuple(np.diff(cumulated).tolist())

        return ScoreTally(tuple(edges), over(self.events), over(self.others))

    def merged(self, min_cell: int) -> "ScoreTally":
        """The finest cells of which none holds, of either class, more than no patient and fewer than ``min_cell``."""
        cumulated = {
            edge: (sum(self.events[:place]), sum(self.others[:place])) for place, edge in enumerate(self.edges)
        }
        kept = [self.edges[0], self.edges[-1]]
        for edge in edge_order(BINS):
            if edge not in cumulated:
                continue
            left, right = max(e for e in kept if e < edge), min(e for e in kept if e > edge)
            sides = [(cumulated[left], cumulated[edge]), (cumulated[edge], cumulated[right])]
            cells = [high[klass] - low[klass] for low, high in sides for klass in (0, 1)]
            if all(count == 0 or count >= min_cell for count in cells):
                kept = sorted([*kept, edge])
        return self.coarsened(kept)

    @property
    def occupied(self) -> int:
        """Cells with at least one patient: "binned, k bins"."""
        return sum(1 for events, others in zip(self.events, self.others, strict=True) if events + others)

    def roc(self) -> tuple[list[float], list[float]] | None:
        """False and true positive rates from (0, 0) to (1, 1), the highest cell first; None if a class is empty."""
        events, others = np.array(self.events[::-1]), np.array(self.others[::-1])
        if events.sum() == 0 or others.sum() == 0:
            return None
        false = np.concatenate([[0.0], others.cumsum() / others.sum()])
        true = np.concatenate([[0.0], events.cumsum() / events.sum()])
        return false.tolist(), true.tolist()

    def auc_with_variance(self) -> tuple[float, float] | None:
        """AUC of the binned scores with DeLong's variance; None with fewer than two of a class."""
        events, others = np.array(self.events, dtype=float), np.array(self.others, dtype=float)
        m, n = events.sum(), others.sum()
        if m < 2 or n < 2:
            return None
        above = (others.cumsum() - others / 2) / n  # placement of an event of each cell; ties count one half
        below = ((m - events.cumsum()) + events / 2) / m
        auc = float((events * above).sum() / m)
        variance = (events * (above - auc) ** 2).sum() / (m - 1) / m + (others * (below - auc) ** 2).sum() / (n - 1) / n
        return auc, float(variance)
