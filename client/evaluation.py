"""Validates frozen models on a hospital's patients: figures computed here, of which only what may leave is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from client.site import Limits
from shared.batch import Batch
from shared.cohorts import Role
from shared.metrics.delong import Floats, clustered_auc
from shared.metrics.risk import RiskTally
from shared.metrics.scores import ScoreTally
from shared.metrics.threshold import threshold_counts
from shared.model import MultimodalModel
from shared.outcomes.base import OutcomeSection, Target
from shared.score_cells import ClassCells
from shared.wire import Line, SiteFigures

TOO_FEW = "too few to report"
ONE_CLASS = "one class only"
ONE_TABLE = "counted for the first question: tables of one score could be subtracted"
COUNTED_ONCE = "training patients are tallied once, for the threshold"


@dataclass(frozen=True)
class Ward:
    """The units of one role at a hospital: truth (units, truths), whose each unit is, and the hospital's minimums."""

    outcome: OutcomeSection
    role: Role
    truth: Floats
    owner: npt.NDArray[np.int64]
    limits: Limits

    @classmethod
    def of(cls, outcome: OutcomeSection, role: Role, batch: Batch, limits: Limits) -> "Ward":
        """From a batch of a role's units."""
        return cls(outcome, role, batch.outcome.numpy().astype(np.float64), batch.owner.numpy(), limits)

    def patients(self, units: npt.NDArray[np.bool_]) -> int:
        """How many patients some of the units, (units,) bool, belong to."""
        return len(np.unique(self.owner[units]))

    @property
    def size(self) -> int:
        """Patients in all."""
        return len(np.unique(self.owner))


class Learner(Protocol):
    """What is learned beside the study's models: boosted trees, or a Cox regression."""

    def scores(self, model: MultimodalModel, batch: Batch) -> Floats | None:
        """Scores (units, outputs), as the outcome has them; None where nothing was learned."""


def scores_of(model: MultimodalModel, batch: Batch, learners: Mapping[str, Learner] = {}) -> dict[str, Floats]:
    """Scores (units, outputs) of every model and learner in float64.

    Every model scores every unit, also one that has none of its modalities: all figures of a cohort are then of the
    same patients, and no difference between them shows the few who lack something.
    """
    with torch.no_grad():
        found = {name: values.to(torch.float64).numpy() for name, values in model.scores(batch).items()}
    beside = {name: own.scores(model, batch) for name, own in learners.items()}
    return {**found, **{name: values for name, values in beside.items() if values is not None}}


def recalibrated(scores: Mapping[str, Floats], lines: Mapping[str, Line]) -> dict[str, Floats]:
    """Scores (units, outputs) by model after the last step of those that have one: intercept + slope x log odds."""
    found = dict(scores)
    for model, (intercept, slope) in lines.items():
        if model in found:
            found[model] = intercept + slope * found[model]
    return found


def threshold_tallies(model: MultimodalModel, batch: Batch, learners: Mapping[str, Learner] = {}) -> dict[str, Floats]:
    """Counts (2, cells) of training patients for each model; a patient's units add up to one.

    A unit with no modality at all is in none: emptying a record then takes one from the cells and adds to no other,
    which is the sensitivity that the noise is made for.
    """
    known = batch.pick(torch.stack(list(batch.present.values())).any(dim=0))
    units = np.bincount(known.owner.numpy()) if len(known) else np.ones(0)
    shares = 1 / units[known.owner.numpy()]
    event = known.outcome[:, 0].numpy()
    return {
        name: threshold_counts(event, score[:, 0], shares) for name, score in scores_of(model, known, learners).items()
    }


def model_figures(model: str, ward: Ward, scores: Floats, threshold: float | None) -> list[SiteFigures]:
    """Figures of a model, (units, outputs) scores, for each question of the outcome under the hospital's minimums."""
    targets = ward.outcome.targets(ward.truth, scores)
    if not targets:
        return [_whole(model, ward, scores)]
    withheld = _withheld(ward, targets)
    figures = [
        _withheld_figures(model, ward, name, withheld[name])
        if name in withheld
        else _target_figures(model, ward, (name, target), threshold)
        for name, target in targets.items()
    ]
    if ward.outcome.nested and ward.outcome.proportional:
        figures = _one_table(figures)
    if not withheld and not figures[0].reasons.get("all"):
        figures[0] = figures[0].model_copy(update={"measures": _measures(ward, scores)})
    return figures


def _one_table(figures: list[SiteFigures]) -> list[SiteFigures]:
    """Score cells of the first question only, where all questions share one score.

    Their tables have edges in common or near each other: subtracted, they would count a single class in a narrow range
    of scores, however large each cell is.
    """
    first = next((place for place, one in enumerate(figures) if one.event_cells), len(figures))
    bare = {"event_cells": None, "other_cells": None}
    return [
        one.model_copy(update={**bare, "reasons": {**one.reasons, "cells": ONE_TABLE}})
        if place > first and one.event_cells
        else one
        for place, one in enumerate(figures)
    ]


def _whole(model: str, ward: Ward, scores: Floats) -> SiteFigures:
    """An outcome without a yes-or-no question has its own figures only."""
    if ward.size < ward.limits.min_patients:
        return _withheld_figures(model, ward, "", TOO_FEW)
    told = _measures(ward, scores)
    return SiteFigures(model=model, role=ward.role, n=len(scores), events=None, patients=ward.size, measures=told)


def _measures(ward: Ward, scores: Floats) -> dict[str, float]:
    """Figures of the outcome as a whole; a share is a count, so it is left out where it would be a small one."""
    found = ward.outcome.measures(ward.truth, scores)
    if "accuracy" in found:
        right = round(found["accuracy"] * len(scores))
        if any(0 < count < ward.limits.min_cell for count in (right, len(scores) - right)):
            del found["accuracy"]
    return found


def _withheld_figures(model: str, ward: Ward, name: str, reason: str) -> SiteFigures:
    return SiteFigures(model=model, role=ward.role, target=name, n=None, events=None, reasons={"all": reason})


def _withheld(ward: Ward, targets: Mapping[str, Target]) -> dict[str, str]:
    """Questions that are not answered, with the reason: a count in their tables, or between them, would be small.

    Where questions are nested their counts can be subtracted; they are then taken in order, and one that would leave a
    small group between those that were taken is left out.
    """
    left_out: dict[str, str] = {}
    answers: list[npt.NDArray[np.int64]] = []
    for name, target in targets.items():
        answer = np.full(len(ward.truth), -1)
        answer[target.known] = target.event.astype(np.int64)
        groups = np.stack([*(answers if ward.outcome.nested else []), answer])
        if ward.size < ward.limits.min_patients or _smallest(ward, groups) < ward.limits.min_cell:
            left_out[name] = TOO_FEW
        else:
            answers.append(answer)
    return left_out


def _smallest(ward: Ward, groups: npt.NDArray[np.int64]) -> int:
    """Patients in the smallest group of units that all questions answer alike: (questions, units)."""
    members: dict[tuple[int, ...], set[int]] = {}
    for column, owner in zip(groups.T.tolist(), ward.owner.tolist(), strict=True):
        members.setdefault(tuple(column), set()).add(owner)
    return min(map(len, members.values()), default=0)


def _target_figures(model: str, ward: Ward, question: tuple[str, Target], threshold: float | None) -> SiteFigures:
    """Figures of one question; ``threshold`` is on the log odds."""
    (name, target), limits = question, ward.limits
    n, events = len(target.event), int(target.event.sum())
    base = SiteFigures(
        model=model, role=ward.role, target=name, n=n, events=events, patients=ward.patients(target.known)
    )
    yes, no = target.known.copy(), target.known.copy()
    yes[target.known], no[target.known] = target.event == 1, target.event == 0
    fewest = min(ward.patients(yes), ward.patients(no))
    if fewest < limits.min_class:
        return base.model_copy(update={"reasons": {"all": ONE_CLASS if fewest == 0 else TOO_FEW}})
    areas = clustered_auc(target.event, target.score[None], ward.owner[target.known])
    cells = {} if ward.role == "train" else _cells(ward, target, threshold or 0.0)
    told = {
        "auc": float(areas.auc[0]),
        "auc_variance": float(areas.covariance[0, 0]),
        "brier": RiskTally.of(target.event, target.score).brier,
        "event_cells": cells.get("events"),
        "other_cells": cells.get("others"),
        "reasons": {"cells": COUNTED_ONCE} if ward.role == "train" else {},
    }
    return base.model_copy(update=told)


def _cells(ward: Ward, target: Target, threshold: float) -> dict[str, ClassCells]:
    """Score tallies by class; so many units a cell that they belong to at least ``min_cell`` patients."""
    most = int(np.bincount(ward.owner).max())
    tally = ScoreTally.of(target.event, target.score - threshold).merged(ward.limits.min_cell * most)
    halves = {"events": tally.events, "others": tally.others}
    return {name: ClassCells(edges=cells.edges, counts=tuple(map(int, cells.counts))) for name, cells in halves.items()}
