"""Intervals by resampling patients at one site, all replicates at once as weights (Efron and Tibshirani 1993)."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from shared.metrics.tally import Floats

REPLICATES = 2000
Weights = npt.NDArray[np.float32]  # (replicates, rows): how often each row was drawn
Statistic = Callable[[Floats, Floats, Weights], Floats]  # outcome, score (rows,), weights -> (replicates,)


def draws(
    outcome: Floats, chance: np.random.Generator, replicates: int = REPLICATES, patient: npt.ArrayLike | None = None
) -> Weights:
    """Draw patients with replacement, those with an event and those without apart; all rows of a patient together.

    ``patient`` (rows,) any label, None where each row is a patient. A patient with any event counts as one.
    """
    labels = np.arange(len(outcome)) if patient is None else np.unique(np.asarray(patient), return_inverse=True)[1]
    count = int(labels.max()) + 1
    with_event = np.bincount(labels, outcome, count) > 0
    weights = np.zeros((replicates, count), dtype=np.float32)
    for stratum in (np.flatnonzero(with_event), np.flatnonzero(~with_event)):
        if len(stratum):
            size = len(stratum)
            drawn = chance.integers(0, size, (replicates, size)) + np.arange(replicates)[:, None] * size
            times = np.bincount(drawn.ravel(), minlength=replicates * size)
            weights[:, stratum] = times.reshape(replicates, size)
    return weights if patient is None else weights[:, labels]


def percentile_interval(values: Floats, level: float = 0.95) -> tuple[float, float] | None:
    """The middle of the replicates; None where any is undefined."""
    if not np.all(np.isfinite(values)):
        return None
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def weighted_auc(outcome: Floats, score: Floats, weights: Weights) -> Floats:
    """AUC of each replicate, (replicates,)."""
    events, others = _by_score(outcome, score, weights)
    below = np.cumsum(others, axis=1) - others / 2
    return np.asarray((events * below).sum(axis=1) / (events.sum(axis=1) * others.sum(axis=1)))


def weighted_precision(outcome: Floats, score: Floats, weights: Weights) -> Floats:
    """Average precision of each replicate, (replicates,): precision at each score, weighted by the recall it adds."""
    events, others = (side[:, ::-1] for side in _by_score(outcome, score, weights))
    true = np.cumsum(events, axis=1)
    positive = true + np.cumsum(others, axis=1)
    precision = np.divide(true, positive, out=np.zeros_like(true), where=positive > 0)
    return np.asarray((events * precision).sum(axis=1) / true[:, -1])


def average_precision(outcome: Floats, score: Floats) -> float:
    """Average precision of the patients themselves; read it beside the prevalence, which a useless score has."""
    return float(weighted_precision(outcome, score, np.ones((1, len(outcome)), dtype=np.float32))[0])


def _by_score(outcome: Floats, score: Floats, weights: Weights) -> tuple[Floats, Floats]:
    """Weights of events and others at each distinct score, rising: (replicates, scores) each."""
    order = np.argsort(score, kind="stable")
    ordered, truth = score[order], outcome[order].astype(np.float32)
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    sorted_weights = weights[:, order]
    sides = (sorted_weights * truth, sorted_weights * (1 - truth))
    if len(starts) < len(score):
        sides = np.add.reduceat(sides[0], starts, axis=1), np.add.reduceat(sides[1], starts, axis=1)
    return sides[0].astype(np.float64), sides[1].astype(np.float64)
