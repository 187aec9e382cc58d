"""Validates frozen models on a hospital's patients: figures computed here, of which only what may leave is kept."""

import numpy as np
import torch

from client.site import Limits
from shared.cohorts import Role
from shared.metrics.brier import BrierTally
from shared.metrics.classification import ConfusionTally
from shared.metrics.delong import Floats, auc_with_variance
from shared.metrics.scores import ScoreTally
from shared.metrics.threshold import threshold_counts
from shared.model import Batch, MultimodalModel, scored
from shared.wire import SiteFigures

TOO_FEW = "too few to report"
ONE_CLASS = "one class only"


def scores_of(model: MultimodalModel, batch: Batch) -> dict[str, Floats]:
    """Log odds (patients,) of every model in float64; NaN where a patient has none of a model's modalities."""
    with torch.no_grad():
        scores = model.scores(batch)
    return {
        name: np.where(scored(name, batch.present).numpy(), values.to(torch.float64).numpy(), np.nan)
        for name, values in scores.items()
    }


def threshold_tallies(model: MultimodalModel, batch: Batch) -> dict[str, Floats]:
    """Counts (2, cells) of training patients for each model; a patient adds at most one to one cell of each."""
    outcome = batch.outcome.numpy()
    return {
        name: threshold_counts(outcome[~np.isnan(score)], score[~np.isnan(score)])
        for name, score in scores_of(model, batch).items()
    }


def site_figures(
    model: str, role: Role, outcome: Floats, score: Floats, threshold: float | None, limits: Limits
) -> SiteFigures:
    """Figures of one model on one cohort, under the hospital's minimums; ``score`` is the log odds of those scored."""
    events, n = int(outcome.sum()), len(outcome)
    others = n - events
    if n < limits.min_patients or min(_small(events, limits), _small(others, limits)) < 0:
        return SiteFigures(model=model, role=role, n=None, events=None, reasons={"all": TOO_FEW})
    reasons: dict[str, str] = {}
    auc = variance = None
    if min(events, others) == 0:
        reasons["auc"] = ONE_CLASS
    elif min(events, others) < limits.min_class:
        reasons["auc"] = TOO_FEW
    else:
        auc, variance = auc_with_variance(outcome, score)
    tables = {} if auc is None else _decisions(outcome, score, threshold, limits, reasons)
    merged = ScoreTally.of(outcome, score).merged(limits.min_cell) if auc is not None else ScoreTally((), (), ())
    return SiteFigures(
        model=model,
        role=role,
        n=n,
        events=events,
        auc=auc,
        auc_variance=variance,
        brier=BrierTally.of(outcome, score).value() if auc is not None else None,
        edges=merged.edges,
        event_cells=tuple(map(int, merged.events)),
        other_cells=tuple(map(int, merged.others)),
        event_table=tables.get("event_table"),
        other_table=tables.get("other_table"),
        reasons=reasons,
    )


def _small(count: int, limits: Limits) -> int:
    """Negative for a count that is neither zero nor large enough to be told."""
    return -1 if 0 < count < limits.min_cell else count


def _decisions(
    outcome: Floats, score: Floats, threshold: float | None, limits: Limits, reasons: dict[str, str]
) -> dict[str, tuple[int, int]]:
    """The decision table, class by class: a class with a small cell is left out, as its total is known."""
    if threshold is None:
        reasons["event_table"] = reasons["other_table"] = "no threshold could be chosen"
        return {}
    table = ConfusionTally.of(outcome, score - threshold)
    halves = {
        "event_table": (table.true_positives, table.false_negatives),
        "other_table": (table.true_negatives, table.false_positives),
    }
    for name, counts in halves.items():
        if any(0 < count < limits.min_cell for count in counts):
            reasons[name] = f"a cell below {limits.min_cell}"
    return {name: counts for name, counts in halves.items() if name not in reasons}
