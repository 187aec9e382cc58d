"""The threshold with the highest sensitivity + specificity (Youden 1950), from tallies that may carry noise."""

import numpy as np

from shared.metrics.tally import Floats

# A coarse grid of the logit: noise is added to each cell, so fewer cells mean less noise in every cumulated count.
CUTS: Floats = np.linspace(-4.0, 4.0, 17)
CELLS = len(CUTS) + 1


def threshold_counts(outcome: Floats, score: Floats, shares: Floats) -> Floats:
    """Counts of (others, events) in the cells between the cuts, (2, CELLS), each unit counted as its share."""
    return counts_between(CUTS, outcome, score, shares)


def counts_between(cuts: Floats, outcome: Floats, score: Floats, shares: Floats) -> Floats:
    """Counts of (others, events) in the cells between any cuts; a score that is no number is in the last one."""
    cells, classes = np.digitize(score, cuts), (outcome == 0, outcome == 1)
    return np.stack([np.bincount(cells[own], weights=shares[own], minlength=len(cuts) + 1) for own in classes])


def youden(counts: Floats) -> float | None:
    """The cut on the logit with the highest sensitivity + specificity; None where a class has no patients left.

    ``counts`` (2, CELLS), noised or not. Where several cuts are equal, the one nearest to zero.
    """
    others, events = counts
    if others.sum() <= 0 or events.sum() <= 0:
        return None
    specificity = others.cumsum()[:-1] / others.sum()
    sensitivity = 1 - events.cumsum()[:-1] / events.sum()
    gain = specificity + sensitivity
    best = np.flatnonzero(gain >= gain.max() - 1e-12)
    return float(CUTS[best[np.argmin(np.abs(CUTS[best]))]])


def gathered(counts: Floats, min_cell: int) -> Floats:
    """The same totals with no cell between 0 and ``min_cell``: small cells move inwards to their neighbour.

    A class of fewer than ``min_cell`` patients in all becomes zeros.
    """
    return np.stack([_gathered_row(row.copy(), min_cell) for row in counts])


def _gathered_row(row: Floats, min_cell: int) -> Floats:
    if row.sum() < min_cell:
        return np.zeros_like(row)
    middle = len(row) // 2
    for sweep, step in ((range(middle), 1), (range(len(row) - 1, middle, -1), -1)):
        for cell in sweep:
            if 0 < row[cell] < min_cell:
                row[cell + step] += row[cell]
                row[cell] = 0
    if 0 < row[middle] < min_cell:
        full = np.flatnonzero(row >= min_cell)
        row[full[np.argmin(np.abs(full - middle))]] += row[middle]
        row[middle] = 0
    return row
