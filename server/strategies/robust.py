"""Strategies that a few wrong hospitals cannot steer; each hospital has one vote, whatever its weight.

The median and Krum publish single hospitals' values, so a study may use them only under dp-sgd, or where it says that
one hospital's values may be published.
"""

import numpy as np

from server.updates import Combination, Floats, Group, Piece

TRIMMED = 0.3  # of the hospitals, at each end: two of seven, one of four or five


def middle(group: Group) -> Combination:
    """Median of each value (Yin et al. 2018)."""

    def combined(piece: Piece) -> Floats:
        values: Floats = np.median(group.stack(piece), axis=0)
        return values

    return combined


def trimmed_mean(group: Group) -> Combination:
    """Mean of each value without the highest and lowest three tenths of the hospitals (Yin et al. 2018).

    Below four hospitals nothing is trimmed.
    """
    from scipy.stats import trim_mean  # here, as it takes a server 60 MB

    def combined(piece: Piece) -> Floats:
        values: Floats = trim_mean(group.stack(piece), TRIMMED, axis=0)
        return values

    return combined


def krum(group: Group) -> Combination:
    """The update nearest to its neighbours (Blanchard et al. 2017), for up to three tenths of wrong hospitals."""
    hospitals = len(group.weights)
    distances = np.zeros((hospitals, hospitals))
    for piece in group.pieces():
        stack = group.stack(piece)
        distances += [np.square(stack - own).sum(axis=1) for own in stack]
    neighbours = max(1, hospitals - int(TRIMMED * hospitals) - 2)
    scores = np.sort(distances, axis=1)[:, 1 : 1 + neighbours].sum(axis=1)
    nearest = list(group.weights)[int(np.argmin(scores))]
    return lambda piece: group.row(nearest, piece)
