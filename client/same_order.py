"""Tables of models that put a cohort's patients in one order: one of them is told, as two could be subtracted.

Where a hospital lacks a modality altogether, a model with it and one without it may differ by a line only. Their tables
are then of the same order, cut at other scores: subtracted, they count the few patients between two edges.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from client.evaluation import Ward
from shared.metrics.delong import Floats
from shared.wire import SiteFigures

SAME_ORDER = "same order of these patients as in {}: tables of both could be subtracted"


def one_table_an_order(
    figures: Sequence[SiteFigures], ward: Ward, scores: Mapping[str, Floats], primary: str
) -> list[SiteFigures]:
    """The figures of all models; cells stay with the first model of an order, the primary before all others."""
    told: list[tuple[SiteFigures, tuple[Floats, Floats]]] = []
    kept: dict[tuple[str, str], dict[str, object]] = {}
    for own in sorted(figures, key=lambda own: own.model != primary):
        if own.event_cells is None:
            continue
        target = ward.outcome.targets(ward.truth, scores[own.model])[own.target]
        sides = target.score[target.event == 1], target.score[target.event == 0]
        alike = [other.model for other, theirs in told if other.target == own.target and _alike(sides, theirs)]
        if alike:
            reasons = {**own.reasons, "cells": SAME_ORDER.format(alike[0])}
            kept[own.model, own.target] = {"event_cells": None, "other_cells": None, "reasons": reasons}
        else:
            told.append((own, sides))
    return [own.model_copy(update=kept.get((own.model, own.target), {})) for own in figures]


def _alike(mine: Sequence[Floats], theirs: Sequence[Floats]) -> bool:
    """Whether either class is in one order by both scores."""
    return any(same_order(first, second) for first, second in zip(mine, theirs, strict=True))


def same_order(first: Floats, second: Floats) -> bool:
    """Whether one score never falls, or never rises, where the other rises; not where one of them is the same for all.

    A score that is the same for all parts nobody from anybody, so nothing can be subtracted.
    """
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return False
    return _never_falls(first, second) or _never_falls(first, -second)


def _never_falls(first: Floats, second: Floats) -> bool:
    """Equal ``first`` are one step: the least of each step is no less than the most of all before it."""
    steps = np.unique(first, return_inverse=True)[1]
    least, most = np.full(steps.max() + 1, np.inf), np.full(steps.max() + 1, -np.inf)
    np.minimum.at(least, steps, second)
    np.maximum.at(most, steps, second)
    return bool(np.all(least[1:] >= np.maximum.accumulate(most)[:-1]))
