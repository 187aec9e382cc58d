"""The gatekeeper's rules for portraits of cohorts: which cohorts, no small count, none that a difference would show."""

from collections.abc import Sequence

import numpy as np
from pydantic import ValidationError

from client.prognosis import group_sizes
from client.site import Limits
from shared.cohorts import describing_arm, folds, portrayed
from shared.errors import PrivacyRefusal
from shared.modalities.tabular import Tabular
from shared.portrait import CategoryColumn, Portrait, Prognosis
from shared.study import Study
from shared.wire import Evaluated, SiteFigures


def check_portraits(answer: Evaluated, study: Study | None, limits: Limits, arm: str = "") -> None:
    """Refuse portraits of cohorts that may have none, in runs that have none, or that hold what must not leave."""
    for own in answer.portraits:
        _check_shape(own)
        if study is None or own.role not in portrayed(study):
            raise PrivacyRefusal("not-portrayed", "the patients of this cohort must not be described")
        if arm and arm not in {describing_arm(study, fold) for fold in folds(study)}:
            raise PrivacyRefusal("not-portrayed", "the patients of this run must not be described")
        _check_names(own, study)
        figures = [f for f in answer.figures if (f.model, f.role, f.target) == (study.primary, own.role, "")]
        _check_portrait(own, figures[0] if figures else None, limits)
    roles = [own.role for own in answer.portraits]
    if len(set(roles)) < len(roles):
        raise PrivacyRefusal("portrayed-twice", "a cohort is described once")


def _check_shape(own: Portrait) -> None:
    """Rounded, finite and closed, whatever made it."""
    try:
        Portrait.model_validate(own.model_dump())
    except ValidationError:
        raise PrivacyRefusal("not-rounded", "a portrait leaves rounded, finite, and as its type says") from None


def _check_names(own: Portrait, study: Study) -> None:
    """Modalities and columns are the study's words, and a category has as many cells as the study has words."""
    tables = {name: spec for name, spec in study.modalities.items() if isinstance(spec, Tabular)}
    words = {(name, column): len(c.values) for name, spec in tables.items() for column, c in spec.categorical.items()}
    numbers = {(name, column) for name, spec in tables.items() for column in spec.numeric}
    present = {name for pattern in own.patterns for name in pattern.present or ()}
    foreign = (
        (present | {row.modality for row in own.removed}) - set(study.modalities)
        or {(row.modality, row.column) for row in own.numbers} - numbers
        or {(row.modality, row.column, len(row.counts)) for row in own.categories}
        - {(*key, size) for key, size in words.items()}
        or set(own.withheld) - {column for _, column in (*numbers, *words)}
    )
    if foreign:
        raise PrivacyRefusal("foreign-name", "a portrait speaks of the study's own modalities and columns only")


def _check_portrait(own: Portrait, told: SiteFigures | None, limits: Limits) -> None:
    if own.patients is None:
        if own != Portrait(role=own.role, patients=None):
            raise PrivacyRefusal("too-few", "a cohort of too few patients must not be described")
        return
    if own.patients < limits.min_patients:
        raise PrivacyRefusal("too-few", "a cohort of too few patients must not be described")
    _refuse_small([row.n for row in own.patterns], limits)
    if own.patterns and sum(row.n for row in own.patterns) != own.patients:
        raise PrivacyRefusal("other-patients", "a portrait is of the patients of its cohort, each once")
    _check_areas(own, told, limits)
    _refuse_small([row.missing or 0 for row in own.numbers], limits)
    for column in own.categories:
        _check_category(column, own.patients, limits)
    if own.prognosis is not None:
        _check_prognosis(own.prognosis, told, limits)


def _check_areas(own: Portrait, told: SiteFigures | None, limits: Limits) -> None:
    """Enough of each class wherever there is an AUC, and no small group left between those and the cohort."""
    areas = [row.area for row in own.patterns if row.area is not None]
    if not areas and not own.removed:
        return
    if told is None or told.auc is None:
        raise PrivacyRefusal("too-few", "a figure of too few patients must not leave")
    n, events = told.n or 0, told.events or 0
    sides = [(n - events, events), *((area.n - area.events, area.events) for area in areas)]
    if any(min(side) < limits.min_class for side in sides):
        raise PrivacyRefusal("too-few", "a figure of too few patients must not leave")
    left = np.array(sides[0]) - np.sum(np.array(sides[1:]).reshape(-1, 2), axis=0)
    if areas:
        if left.min() < 0:
            raise PrivacyRefusal("other-patients", "a portrait is of the patients of its cohort, each once")
        _refuse_small(left.tolist(), limits)


def _check_category(column: CategoryColumn, patients: int, limits: Limits) -> None:
    """No small cell, and none that the others and the total give away."""
    told = [count for count in column.cells if count is not None]
    _refuse_small(told, limits)
    hidden, left = len(column.cells) - len(told), patients - sum(told)
    if hidden == 0 and left != 0:
        raise PrivacyRefusal("other-patients", "a portrait is of the patients of its cohort, each once")
    if hidden and (hidden < 2 or left < limits.min_cell):
        raise PrivacyRefusal("small-cell", "a hidden count must not follow from the others")


def _check_prognosis(own: Prognosis, told: SiteFigures | None, limits: Limits) -> None:
    """No small interval, and no small group between those who were followed and the table of decisions."""
    sizes = group_sizes(told) if told else None
    if sizes is None:
        raise PrivacyRefusal("small-cell", "risk groups must not give hidden cells of the table of decisions away")
    for row in own.rows:
        _refuse_small([*row.counts, row.total], limits)
    if min(own.sizes) < limits.min_class or own.had_event < limits.min_class:
        raise PrivacyRefusal("too-few", "a figure of too few patients must not leave")
    lost = [whole - followed for whole, followed in zip(sizes, own.sizes, strict=True)]
    if min(lost) < 0:
        raise PrivacyRefusal("other-patients", "a portrait is of the patients of its cohort, each once")
    _refuse_small(lost, limits)


def _refuse_small(counts: Sequence[int], limits: Limits) -> None:
    if any(0 < count < limits.min_cell for count in counts):
        raise PrivacyRefusal("small-cell", f"a count below {limits.min_cell} must not leave")
