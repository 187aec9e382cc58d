"""Accepts a hospital's reply, or rejects it with the reason."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from shared.boosting import PREFIX, leaves_of
from shared.errors import ReplyRejected
from shared.learners import Boosted
from shared.metrics.threshold import CELLS
from shared.parameters import group_of, in_stage
from shared.portrait import Portrait
from shared.privacy.records import RunKey
from shared.wire import (
    AnyHeader,
    Arrays,
    Boost,
    Envelope,
    Evaluate,
    Evaluated,
    Grown,
    Reply,
    SiteFigures,
    Tallied,
    Train,
    Trained,
)

LARGEST = 1e6  # of any number in an update: beyond it a model is broken, whatever the clip was
H = TypeVar("H", bound=AnyHeader)


def expect(envelope: Envelope, kind: type[H]) -> H:
    """The reply's header, if it is of the kind that was asked for."""
    if not isinstance(envelope.header, kind):
        raise ReplyRejected("answered another question")
    return envelope.header


def audit_run(reply: Envelope, run: RunKey) -> None:
    """An answer of the run that was asked about: the study's digest, the fold and the arm."""
    header = reply.header
    if not isinstance(header, Reply) or header.run is None:
        raise ReplyRejected("does not say of which run it is")
    if header.run.study != run.study:
        raise ReplyRejected("is of another study, or of this one with other settings")
    if header.run != run:
        raise ReplyRejected("is of another run of the study")


def audit_update(reply: Envelope, task: Train, weights: Arrays) -> Trained:
    """An update of whole groups of the asked stage, shaped like the weights, finite and of sane size."""
    header = expect(reply, Trained)
    if (header.stage, header.round) != (task.stage, task.round):
        raise ReplyRejected("answered another round")
    if not set(reply.arrays) <= set(weights):
        raise ReplyRejected("its update holds an array that is no parameter of the model")
    groups = {group_of(name) for name in reply.arrays}
    due = {name for name in weights if in_stage(name, task.stage) and group_of(name) in groups}
    if set(reply.arrays) != due:
        raise ReplyRejected("its update is not made of whole parameter groups of this stage")
    for name, values in reply.arrays.items():
        _audit_array(values, weights[name].shape)
    return header


def audit_trees(reply: Envelope, task: Boost, due: Mapping[str, Boosted]) -> Grown:
    """One tree of each learner that still grows, no deeper than declared."""
    header = expect(reply, Grown)
    if header.round != task.round:
        raise ReplyRejected("answered another round")
    if set(reply.arrays) != {PREFIX + name for name in due}:
        raise ReplyRejected("its trees are not those of the study's learners")
    for name, choice in due.items():
        try:
            leaves_of(reply.arrays[PREFIX + name], choice.depth, 1)
        except ValueError as fault:
            raise ReplyRejected(f"what it grew {fault}") from None
    return header


def audit_named(reply: Envelope, kind: type[H], due: Mapping[str, tuple[int, ...]], partial: bool = False) -> H:
    """An answer of this kind with these arrays, finite; with ``partial`` a hospital may lack some."""
    header = expect(reply, kind)
    names = set(reply.arrays)
    if not names or not names <= set(due) or (not partial and names != set(due)):
        raise ReplyRejected("its sums are not those that were asked for")
    for name, values in reply.arrays.items():
        if values.shape != due[name] or values.dtype.kind != "f" or not np.all(np.isfinite(values)):
            raise ReplyRejected("a sum has another shape than was asked for, or is not finite")
    return header


def audit_tallies(reply: Envelope, models: Mapping[str, float | None] | tuple[str, ...]) -> Tallied:
    """One tally a model of the study."""
    header = expect(reply, Tallied)
    if set(reply.arrays) != set(models):
        raise ReplyRejected("its tallies are not those of the study's models")
    for values in reply.arrays.values():
        _audit_array(values, (2, CELLS))
    return header


def audit_figures(reply: Envelope, task: Evaluate, models: tuple[str, ...]) -> Evaluated:
    """Figures of the models that the server committed to, each once a cohort and question of the outcome."""
    header = expect(reply, Evaluated)
    if header.models != task.models:
        raise ReplyRejected("evaluated other models")
    keys = [(figures.model, figures.role, figures.target) for figures in header.figures]
    if len(set(keys)) < len(keys) or not {model for model, *_ in keys} <= set(models):
        raise ReplyRejected("its figures are not those of the study's models, each once a cohort")
    for figures in header.figures:
        _audit_cohort(figures)
    _audit_portraits(header.portraits, {model for model in models if "+" not in model})
    return header


def _audit_portraits(portraits: Sequence[Portrait], modalities: set[str]) -> None:
    """A cohort is described once, and with the study's modalities."""
    roles = [own.role for own in portraits]
    named = {name for own in portraits for row in own.patterns for name in row.present or ()}
    named |= {row.modality for own in portraits for row in own.removed}
    if len(set(roles)) < len(roles) or not named <= modalities:
        raise ReplyRejected("it describes no cohort of the study, each once")


def _audit_cohort(figures: SiteFigures) -> None:
    """No more events than patients, and figures only of both classes: an average over pairs needs a pair."""
    n, events = figures.n or 0, figures.events or 0
    told = (figures.auc, figures.auc_variance, figures.brier, figures.risk, figures.event_cells, figures.other_cells)
    if not 0 <= events <= n:
        raise ReplyRejected("its counts are not those of a cohort")
    if any(value is not None for value in told) and events in (0, n):
        raise ReplyRejected("its figures are of a cohort without both classes")
    if (
        figures.risk
        and (joint := figures.risk.joint)
        and (sum(joint.events), sum(joint.others)) != (events, n - events)
    ):
        raise ReplyRejected("its decisions of two models are not those of the cohort")


def _audit_array(values: npt.NDArray[Any], shape: tuple[int, ...]) -> None:
    if values.shape != shape:
        raise ReplyRejected("an array has another shape than the model")
    if values.dtype.kind != "f" or not np.all(np.isfinite(values)):
        raise ReplyRejected("an array holds something that is not a finite number")
    if np.abs(values).max(initial=0.0) > LARGEST:
        raise ReplyRejected("an array holds a number too large for any update")
