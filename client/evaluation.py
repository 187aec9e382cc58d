"""Validates frozen models on a hospital's patients: figures computed here, of which only what may leave is kept."""

import torch

from client.site import Limits
from shared.cohorts import Role
from shared.metrics.brier import BrierTally
from shared.metrics.delong import Floats, auc_with_variance
from shared.metrics.scores import ScoreTally
from shared.metrics.threshold import threshold_counts
from shared.model import Batch, MultimodalModel
from shared.wire import ClassCells, SiteFigures

TOO_FEW = "too few to report"
ONE_CLASS = "one class only"
COUNTED_ONCE = "training patients are tallied once, for the threshold"


def scores_of(model: MultimodalModel, batch: Batch) -> dict[str, Floats]:
    """Log odds (patients,) of every model in float64.

    Every model scores every patient, also one who has none of its modalities: all figures of a cohort are then of the
    same patients, and no difference between them shows the few who lack something.
    """
    with torch.no_grad():
        return {name: values.to(torch.float64).numpy() for name, values in model.scores(batch).items()}


def threshold_tallies(model: MultimodalModel, batch: Batch) -> dict[str, Floats]:
    """Counts (2, cells) of training patients for each model; a patient adds one to one cell of each.

    A patient with no modality at all is in none: emptying a record then takes one from one cell and adds to no other,
    which is the sensitivity that the noise is made for.
    """
    known = batch.pick(torch.stack(list(batch.present.values())).any(dim=0))
    outcome = known.outcome.numpy()
    return {name: threshold_counts(outcome, score) for name, score in scores_of(model, known).items()}


def site_figures(
    key: tuple[str, Role], outcome: Floats, score: Floats, threshold: float | None, limits: Limits
) -> SiteFigures:
    """Figures of one (model, role) under the hospital's minimums; ``score`` and ``threshold`` are log odds."""
    model, role = key
    events, n = int(outcome.sum()), len(outcome)
    others = n - events
    if n < limits.min_patients or any(0 < count < limits.min_cell for count in (events, others)):
        return SiteFigures(model=model, role=role, n=None, events=None, reasons={"all": TOO_FEW})
    if min(events, others) < limits.min_class:
        reason = ONE_CLASS if min(events, others) == 0 else TOO_FEW
        return SiteFigures(model=model, role=role, n=n, events=events, reasons={"all": reason})
    auc, variance = auc_with_variance(outcome, score)
    cells = {} if role == "train" else _cells(outcome, score - (threshold or 0.0), limits)
    return SiteFigures(
        model=model,
        role=role,
        n=n,
        events=events,
        auc=auc,
        auc_variance=variance,
        brier=BrierTally.of(outcome, score).value(),
        event_cells=cells.get("events"),
        other_cells=cells.get("others"),
        reasons={"cells": COUNTED_ONCE} if role == "train" else {},
    )


def _cells(outcome: Floats, score: Floats, limits: Limits) -> dict[str, ClassCells]:
    tally = ScoreTally.of(outcome, score).merged(limits.min_cell)
    halves = {"events": tally.events, "others": tally.others}
    return {name: ClassCells(edges=cells.edges, counts=tuple(map(int, cells.counts))) for name, cells in halves.items()}
