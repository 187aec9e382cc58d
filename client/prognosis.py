"""Survival by risk group on the study's grid of times: in each row intervals are merged until no count is small.

Survival is told only where the table of decisions is told too: the sizes of the risk groups would otherwise give its
hidden cells away.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from client.site import Limits
from shared.endpoint import Endpoint
from shared.metrics.concordance import PairCounts
from shared.metrics.delong import Floats
from shared.metrics.log_rank import LogRankSums
from shared.metrics.scores import MIDDLE
from shared.portrait import Prognosis, TimeCells
from shared.wire import SiteFigures

TOO_FEW = "too few patients, events, or patients without follow-up in a group"
NO_GROUPS = "the cohort has no table of decisions, which the risk groups would give away"
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class FollowUp:
    """The second endpoint of each unit: time and event (units,), NaN where a unit has none."""

    endpoint: Endpoint
    time: Floats
    event: Floats

    def pick(self, units: Mask) -> "FollowUp":
        """Of some units."""
        return FollowUp(self.endpoint, self.time[units], self.event[units])

    @property
    def known(self) -> Mask:
        """Who was followed."""
        return ~np.isnan(self.time)


def prognosis(
    follow_up: FollowUp | None, told: SiteFigures | None, decisions: tuple[Floats, Mask] | None, limits: Limits
) -> tuple[Prognosis | None, str]:
    """Sums of both risk groups, or the reason for there being none; ``decisions`` are each unit's score and group."""
    if follow_up is None:
        return None, ""
    if decisions is None or told is None or not group_sizes(told):
        return None, NO_GROUPS
    score, high = decisions
    known = follow_up.known
    lost = [int((~known & side).sum()) for side in (high, ~high)]
    last = follow_up.endpoint.cuts[-1]
    time = np.minimum(follow_up.time[known], last)
    event = ((follow_up.event[known] == 1) & (follow_up.time[known] <= last)).astype(np.float64)
    tables = _tables(follow_up.endpoint, follow_up.time[known], event, high[known])
    totals = [int(row.sum()) for row in tables]
    sizes = totals[0] + totals[2], totals[1] + totals[3]
    few = any(0 < count < limits.min_cell for count in (*totals, *lost))
    if few or min(sizes) < limits.min_class or totals[0] + totals[1] < limits.min_class:
        return None, TOO_FEW
    sums = LogRankSums.of(time, event, high[known].astype(np.float64), 2)
    pairs = PairCounts.of(time, event, score[known])
    return _prognosis(tables, sums, pairs, limits), ""


def group_sizes(told: SiteFigures) -> tuple[int, int] | None:
    """Patients of the cohort below the threshold, and from it on; None where a class hides it."""
    if told.event_cells is None or told.other_cells is None:
        return None
    low = high = 0
    for cells in (told.event_cells, told.other_cells):
        if MIDDLE not in cells.edges:
            return None
        place = cells.edges.index(MIDDLE)
        low, high = low + sum(cells.counts[:place]), high + sum(cells.counts[place:])
    return low, high


def _tables(endpoint: Endpoint, time: Floats, event: Floats, high: Mask) -> npt.NDArray[np.int64]:
    """(4, intervals): events of the low and of the high group, then the others of each, by interval of the grid.

    An interval has its end, not its start; the last one has all who were observed beyond the last cut.
    """
    intervals = len(endpoint.cuts) + 1
    place = np.minimum(np.searchsorted(endpoint.cuts, time, side="left"), intervals - 1)
    rows = np.where(event == 1, 0, 2) + high
    tables = np.zeros((4, intervals), dtype=np.int64)
    np.add.at(tables, (rows, place), 1)
    return tables


def merged_edges(tables: npt.NDArray[np.int64] | Floats, min_cell: int) -> list[int]:
    """The most edges between which no row of (rows, intervals) has more than nobody and fewer than ``min_cell``.

    ``best[end]`` are the edges of the beginning up to ``end``; empty where it cannot be parted. The whole must pass. Of
    several ways the one with the shortest last part: who is in it counts as observed to its end.
    """
    below = np.concatenate([np.zeros((len(tables), 1), dtype=tables.dtype), np.cumsum(tables, axis=1)], axis=1)
    best: list[list[int]] = [[0]]
    for end in range(1, tables.shape[1] + 1):
        sound = [
            start
            for start in reversed(range(end))
            if best[start] and not np.any((part := below[:, end] - below[:, start]) * (part < min_cell))
        ]
        best.append(max(([*best[start], end] for start in sound), key=len, default=[]))
    return best[-1]


def _cells(row: npt.NDArray[np.int64], min_cell: int) -> TimeCells:
    edges = merged_edges(row[np.newaxis], min_cell)
    return TimeCells(edges=tuple(edges), counts=tuple(np.add.reduceat(row, edges[:-1]).tolist()))


def _prognosis(tables: npt.NDArray[np.int64], sums: LogRankSums, pairs: PairCounts, limits: Limits) -> Prognosis | None:
    low_events, high_events, low_others, high_others = (_cells(row, limits.min_cell) for row in tables)
    return Prognosis(
        events=(low_events, high_events),
        others=(low_others, high_others),
        expected=_digits(float(sums.expected[1])),
        variance=_digits(float(sums.covariance[1, 1])),
        c_index=round(pairs.c() or 0.0, 3),
        c_error=round(pairs.error() or 0.0, 3),
    )


def _digits(value: float) -> float:
    return float(f"{max(value, 0.0):.4g}")
