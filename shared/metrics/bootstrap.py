"""Intervals by resampling patients at one site, all replicates at once as weights (Efron and Tibshirani 1993)."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from shared.metrics.tally import Floats

REPLICATES = 2000
BLOCK = 4_000_000  # weights held at a time
Weights = npt.NDArray[np.floating]  # (rows, replicates): how often each row was drawn; float32 counts exactly
Statistic = Callable[[Floats, Floats, Weights], Floats]  # outcome, score (rows,), weights -> (replicates,)


def intervals(
    statistic: Statistic, outcome: Floats, scores: Mapping[str, Floats], patient: npt.ArrayLike, seed: int
) -> dict[str, tuple[float, float] | None]:
    """Percentile intervals of a statistic of several models, all from the same resamples of the patients."""
    chance, rows = np.random.default_rng(seed), max(1, BLOCK // len(outcome))
    found: dict[str, list[Floats]] = {name: [] for name in scores}
    for start in range(0, REPLICATES, rows):
        weights = draws(outcome, chance, min(rows, REPLICATES - start), patient)
        for name, score in scores.items():
            found[name].append(statistic(outcome, score, weights))
    return {name: percentile_interval(np.concatenate(values)) for name, values in found.items()}


def draws(
    outcome: Floats, chance: np.random.Generator, replicates: int = REPLICATES, patient: npt.ArrayLike | None = None
) -> Weights:
    """Draw patients with replacement, those with an event and those without apart; all rows of a patient together.

    ``patient`` (rows,) any label, None where each row is a patient. A patient with any event counts as one.
    """
    labels = np.arange(len(outcome)) if patient is None else np.unique(np.asarray(patient), return_inverse=True)[1]
    count = int(labels.max()) + 1
    with_event = np.bincount(labels, outcome, count) > 0
    weights = np.zeros((count, replicates), dtype=np.float32)
    for stratum in (np.flatnonzero(with_event), np.flatnonzero(~with_event)):
        size = len(stratum)
        if size:
            drawn = chance.integers(0, size, (size, replicates)) * replicates + np.arange(replicates)
            times = np.bincount(drawn.ravel(), minlength=size * replicates)
            weights[stratum] = times.reshape(size, replicates)
    return weights[labels]


def percentile_interval(values: Floats, level: float = 0.95) -> tuple[float, float] | None:
    """The middle of the replicates; None where any is undefined."""
    if not np.all(np.isfinite(values)):
        return None
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def weighted_auc(outcome: Floats, score: Floats, weights: Weights) -> Floats:
    """AUC of each replicate, (replicates,)."""
    events, both, _ = _ranked(outcome, score, weights)
    others = both - events
    below = np.cumsum(others, axis=0) - others / 2
    return np.asarray((events * below).sum(axis=0) / (events.sum(axis=0) * others.sum(axis=0)))


def weighted_precision(outcome: Floats, score: Floats, weights: Weights) -> Floats:
    """Average precision of each replicate, (replicates,): precision at each score, weighted by the recall it adds."""
    events, both, held = _ranked(outcome, -score, weights)
    events = events[held]
    true, positive = np.cumsum(events, axis=0), np.cumsum(both, axis=0)[held]
    precision = np.divide(true, positive, out=np.zeros_like(true), where=positive > 0)
    return np.asarray((events * precision).sum(axis=0) / true[-1])


def average_precision(outcome: Floats, score: Floats) -> float:
    """Average precision of the patients themselves; read it beside the prevalence, which a useless score has."""
    return float(weighted_precision(outcome, score, np.ones((len(outcome), 1)))[0])


def _ranked(outcome: Floats, score: Floats, weights: Weights) -> tuple[Weights, Weights, npt.NDArray[np.int64]]:
    """Weights of events and of all at each distinct score, rising, (scores, replicates); which scores hold events."""
    order = np.argsort(score, kind="stable")
    ordered, truth = score[order], outcome[order].astype(weights.dtype)
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    both = weights[order]
    events = both * truth[:, None]
    if len(starts) < len(score):
        events, both = np.add.reduceat(events, starts, axis=0), np.add.reduceat(both, starts, axis=0)
    return events, both, np.flatnonzero(np.add.reduceat(truth, starts))
