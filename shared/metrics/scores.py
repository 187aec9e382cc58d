"""Scores by class on one fixed grid of the logit: what ROC curves, pooled AUCs and decision tables are made of.

The grid's middle is the model's frozen threshold, so that the decision table is a part of the same release: a table
beside it, cut elsewhere, would split a merged cell and show the few patients in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from shared.metrics.cells import BINS, Cells
from shared.metrics.tally import Floats

WIDTH = 0.2  # of a bin on the logit: the grid reaches 10 to both sides of the threshold
MIDDLE = BINS // 2


@dataclass(frozen=True)
class ScoreTally:
    """Patients with and without the event; the cells of the classes differ, as each merged its own small ones."""

    events: Cells
    others: Cells

    @classmethod
    def of(cls, outcome: Floats, score: Floats) -> "ScoreTally":
        """Count patients into all bins; ``score`` is the log odds minus the threshold's."""
        places = np.floor(score / WIDTH) + MIDDLE  # floored first: a score just below the threshold stays below it
        return cls(Cells.of(places[outcome == 1]), Cells.of(places[outcome == 0]))

    def __add__(self, other: "ScoreTally") -> "ScoreTally":
        """Both groups of patients, on the edges that they share."""
        return ScoreTally(self.events + other.events, self.others + other.others)

    def merged(self, min_cell: int) -> "ScoreTally":
        """As it may leave a hospital: no cell between 0 and ``min_cell``."""
        return ScoreTally(self.events.merged(min_cell), self.others.merged(min_cell))

    def spread(self, edges: Iterable[int]) -> "ScoreTally":
        """Both classes over the same finer cells."""
        finer = tuple(edges)
        return ScoreTally(self.events.spread(finer), self.others.spread(finer))

    @property
    def edges(self) -> tuple[int, ...]:
        """Every edge of either class."""
        return tuple(sorted({*self.events.edges, *self.others.edges}))

    @property
    def bins(self) -> int:
        """Occupied cells of the coarser class."""
        return min(self.events.occupied, self.others.occupied)

    def decisions(self) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
        """(true positives, false negatives) and (true negatives, false positives); None where merged away."""
        events, others = _halves(self.events), _halves(self.others)
        return (events and (events[1], events[0])), others

    def roc(self) -> tuple[list[float], list[float]] | None:
        """False and true positive rates from (0, 0) to (1, 1), the highest cell first; None if a class is empty."""
        both = self.spread(self.edges)
        events, others = np.array(both.events.counts[::-1]), np.array(both.others.counts[::-1])
        if events.sum() == 0 or others.sum() == 0:
            return None
        false = np.concatenate([[0.0], others.cumsum() / others.sum()])
        true = np.concatenate([[0.0], events.cumsum() / events.sum()])
        return false.tolist(), true.tolist()

    def auc(self) -> float | None:
        """Area under the curve of the binned scores; None if a class is empty."""
        curve = self.roc()
        return float(np.trapezoid(curve[1], curve[0])) if curve else None


def _halves(cells: Cells) -> tuple[int, int] | None:
    """Patients below and from the middle of the grid on; None where it is no edge."""
    if MIDDLE not in cells.edges:
        return None
    place = cells.edges.index(MIDDLE)
    return round(sum(cells.counts[:place])), round(sum(cells.counts[place:]))
