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
        event_cells=merged.events,
        other_cells=merged.others,
        confusion=_confusion(outcome, score, threshold, limits, reasons) if auc is not None else None,
        reasons=reasons,
    )


def _small(count: int, limits: Limits) -> int:
    """Negative for a count that is neither zero nor large enough to be told."""
    return -1 if 0 < count < limits.min_cell else count


def _confusion(
    outcome: Floats, score: Floats, threshold: float | None, limits: Limits, reasons: dict[str, str]
) -> tuple[int, int, int, int] | None:
    if threshold is None:
        reasons["confusion"] = "no threshold could be chosen"
        return None
    table = ConfusionTally.of(outcome, score - threshold)
    if any(0 < count < limits.min_cell for count in table.cells):
        reasons["confusion"] = f"a cell below {limits.min_cell}"
        return None
    return table.cells
