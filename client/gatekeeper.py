"""The one place through which every message leaves the hospital: known type, right shapes, finite, large enough."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import ValidationError

from client.noise_gate import check_noise
from client.portrait_gate import check_portraits
from client.site import Limits, Site
from shared import proportional, selection
from shared.boosting import PREFIX, boosted_in, leaves_of
from shared.errors import PrivacyRefusal
from shared.learners import Boosted
from shared.metrics.tally import Floats
from shared.metrics.threshold import CELLS
from shared.model import MultimodalModel
from shared.parameters import in_stage
from shared.risk_figures import Joint, RiskFigures
from shared.study import DpSgd, Study
from shared.wire import (
    AnyHeader,
    Arrays,
    CohortCount,
    Counted,
    Described,
    Envelope,
    Evaluated,
    Grown,
    Refused,
    SiteFigures,
    Summed,
    Tallied,
    Trained,
)

REPLIES = (Described, Counted, Trained, Grown, Summed, Tallied, Evaluated, Refused)
BARE = (Counted, Grown, Summed)  # what no noise protects


def check_study(site: Site, members: Sequence[str], study: Study) -> None:
    """Refuse a study that this hospital's limits rule out, before anything is read or trained.

    ``members`` are the declared sites whose patients are here: the hospital's own name, but for a simulation's pool.
    """
    if not set(members) <= set(study.sites):
        raise PrivacyRefusal("not-my-study", "this hospital is not one of the study's sites")
    if isinstance(study.privacy, DpSgd):
        for own in (study.privacy, study.privacy.validation):
            if own and own.epsilon > site.limits.max_epsilon:
                raise PrivacyRefusal(
                    "hospital-limit",
                    f"the study asks for epsilon {own.epsilon:g}, this hospital allows {site.limits.max_epsilon:g}",
                )
            if own and own.delta > site.limits.max_delta:
                raise PrivacyRefusal(
                    "hospital-delta",
                    f"the study asks for delta {own.delta:g}, this hospital allows {site.limits.max_delta:g}",
                )
    elif not site.limits.allow_without_privacy:
        raise PrivacyRefusal("privacy-required", "this hospital takes part under differential privacy only")


def check_outgoing(
    envelope: Envelope,
    site: Site,
    model: MultimodalModel | None,
    study: Study | None = None,
    arm: str = "",
) -> None:
    """Refuse a message that must not leave; the last check before the egress log, whatever came before it.

    Without the ``study`` no cohort may be described, and nothing beside its models may leave; ``arm`` is the run's.
    """
    header = envelope.header
    if not isinstance(header, REPLIES):
        raise PrivacyRefusal("no-reply", "only the known kinds of replies leave")
    bare = isinstance(header, BARE) or (isinstance(header, Trained | Tallied) and header.epsilon is None)
    if bare and not (site.limits.allow_without_privacy and not (study and study.private)):
        raise PrivacyRefusal("privacy-required", "nothing that was trained without privacy leaves this hospital")
    if isinstance(header, Grown):
        _check_trees(envelope.arrays, boosted_in(study, arm) if study else {}, site.limits)
        return
    _check_arrays(envelope.arrays, _declared(header, model, study, arm))
    _check_counts(header, envelope.arrays, site.limits)
    if isinstance(header, Described | Evaluated):
        check_noise(header, study)
    if isinstance(header, Evaluated):
        check_portraits(header, study, site.limits, arm)


def _check_counts(header: AnyHeader, arrays: Arrays, limits: Limits) -> None:
    for values in counts_in(header, arrays):
        _refuse_small(values.ravel().tolist(), limits)
    if isinstance(header, Described):
        for cohort in header.cohorts:
            _check_cohort(cohort, limits)
    elif isinstance(header, Evaluated):
        for figures in header.figures:
            _check_figures(figures, limits)
        _check_same_patients(header.figures)


def _declared(
    header: AnyHeader, model: MultimodalModel | None, study: Study | None, arm: str
) -> Mapping[str, tuple[int, ...]]:
    """The arrays that a message may carry, by name, with their shapes."""
    if study and isinstance(header, Counted):
        tables = selection.selecting(study)
        return {selection.PREFIX + n: selection.answer_shape(own, study.outcome) for n, own in tables.items()}
    if study and isinstance(header, Summed):
        fits = proportional.cox_in(study, arm)
        told = {name: proportional.shapes(study, own) for name, own in fits.items()}
        return {proportional.array(n, what): shape for n, own in told.items() for what, shape in own.items()}
    if model is None:
        return {}
    if isinstance(header, Trained):
        return {n: tuple(p.shape) for n, p in model.named_parameters() if in_stage(n, header.stage)}
    boosted = boosted_in(study, arm) if study else {}
    return dict.fromkeys((*model.models, *boosted), (2, CELLS)) if isinstance(header, Tallied) else {}


def counts_in(header: AnyHeader, arrays: Arrays) -> list[Floats]:
    """Arrays of a message that are counts of patients as they are."""
    if isinstance(header, Tallied):
        return [] if header.epsilon is not None else list(arrays.values())
    if isinstance(header, Counted):
        return [values for values in arrays.values() if values.ndim > 1]  # a LASSO's verdict counts nobody
    if isinstance(header, Summed):
        return [values for name, values in arrays.items() if name.endswith(".events")]
    return []


def _check_trees(arrays: Arrays, boosted: Mapping[str, Boosted], limits: Limits) -> None:
    """One tree a learner, and no leaf of fewer patients than a cell may have: a Hessian is a quarter at most."""
    for name, content in arrays.items():
        choice = boosted.get(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else None
        if choice is None:
            raise PrivacyRefusal("wrong-shape", "the message holds an array that this kind of message does not have")
        try:
            lightest = leaves_of(content, choice.depth, 1)[0]
        except ValueError:
            raise PrivacyRefusal("no-tree", "the message holds something that is not one tree of the study") from None
        if 4 * lightest < limits.min_cell * (1 - 1e-4):  # sums in float32
            raise PrivacyRefusal("small-cell", f"a leaf of fewer than {limits.min_cell} patients must not leave")


def _check_arrays(arrays: Arrays, declared: Mapping[str, tuple[int, ...]]) -> None:
    for name, values in arrays.items():
        if declared.get(name) != tuple(values.shape):
            raise PrivacyRefusal("wrong-shape", "the message holds an array that this kind of message does not have")
        if values.dtype.kind != "f" or not np.all(np.isfinite(values)):
            raise PrivacyRefusal("not-finite", "the message holds something that is not a finite number")


def _check_cohort(cohort: CohortCount, limits: Limits) -> None:
    _check_size(cohort.n, cohort.events, limits)
    _refuse_small([count for count in cohort.excluded.values() if count is not None], limits)


def _check_figures(figures: SiteFigures, limits: Limits) -> None:
    _check_size(figures.n, figures.events, limits)
    few = figures.patients is not None and figures.patients < limits.min_patients
    if few or (figures.measures and figures.patients is None):
        raise PrivacyRefusal("too-few", "a figure of too few patients must not leave")
    if not all(math.isfinite(value) for value in figures.measures.values()):
        raise PrivacyRefusal("not-finite", "the message holds something that is not a finite number")
    if figures.noised is not None and (figures.patients is None or figures.patients < limits.min_patients):
        raise PrivacyRefusal("too-few", "a figure of too few patients must not leave")
    n, events = figures.n or 0, figures.events or 0
    cells = (figures.event_cells, figures.other_cells)
    told = (figures.auc, figures.auc_variance, figures.brier, figures.risk, *cells)
    if any(value is not None for value in told) and min(events, n - events) < limits.min_class:
        raise PrivacyRefusal("too-few", "a figure of too few patients must not leave")
    if figures.risk is not None:
        _check_risk(figures.risk)
        _check_joint(figures.risk.joint, (events, n - events), limits)
    if figures.role == "train" and any(cells):
        raise PrivacyRefusal("tallied-twice", "training patients are tallied once, for the threshold")
    for tally in cells:
        _refuse_small(tally.counts if tally else (), limits)


def _check_same_patients(figures: Sequence[SiteFigures]) -> None:
    """All models of a cohort are validated on the same patients: the difference of two cohorts shows a few of them."""
    sizes: dict[tuple[str, str], set[tuple[int | None, int | None]]] = {}
    for own in figures:
        if own.n is not None:
            sizes.setdefault((own.role, own.target), set()).add((own.n, own.events))
    if any(len(different) > 1 for different in sizes.values()):
        raise PrivacyRefusal("other-patients", "two models of one cohort must be validated on the same patients")


def _check_risk(risk: RiskFigures) -> None:
    """Figures of ranks stay rounded, and everything finite, whatever wrote them."""
    try:
        RiskFigures.model_validate(risk.model_dump())
    except ValidationError:
        raise PrivacyRefusal("not-rounded", "a figure of ranks leaves with three decimals, and finite") from None


def _check_joint(joint: Joint | None, sizes: tuple[int, int], limits: Limits) -> None:
    """Decisions of two models on the same patients: each of them once, and none in a small cell."""
    for cells, size in zip((joint.events, joint.others) if joint else (), sizes, strict=False):
        _refuse_small(cells, limits)
        if min(cells) < 0 or sum(cells) != size:
            raise PrivacyRefusal("other-patients", "a table of decisions is of the patients of its class, each once")


def _check_size(n: int | None, events: int | None, limits: Limits) -> None:
    """A cohort is counted only if it is large enough; the patients without an event are a count too."""
    if n is None and events is None:
        return
    if n is None or n < limits.min_patients:
        raise PrivacyRefusal("too-few", "a cohort of too few patients must not be counted")
    _refuse_small([n] if events is None else [n, events, n - events], limits)


def _refuse_small(counts: Sequence[float], limits: Limits) -> None:
    if any(count != 0 and count < limits.min_cell for count in counts):
        raise PrivacyRefusal("small-cell", f"a count below {limits.min_cell} must not leave")
