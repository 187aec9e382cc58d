"""Federated averaging (McMahan et al. 2017), by parameter group, in float64."""

import numpy as np

from server.updates import Combination, Floats, Group, Piece


def fedavg(group: Group) -> Combination:
    """Weighted mean of updates over the hospitals that have the group."""
    total = sum(group.weights.values())

    def mean(piece: Piece) -> Floats:
        summed = np.zeros(piece.stop - piece.start)
        for site, weight in group.weights.items():
            summed += weight * group.row(site, piece)
        return summed / total

    return mean
