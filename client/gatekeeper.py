"""The one place through which every message leaves the hospital: known type, right shapes, finite, large enough."""

from collections.abc import Mapping, Sequence

import numpy as np

from client.site import Site
from shared.errors import PrivacyRefusal
from shared.model import MultimodalModel
from shared.study import DpSgd, Study
from shared.wire import AnyHeader, Arrays, Described, Envelope, Evaluated, SiteFigures, Tallied, Trained


def check_study(site: Site, members: Sequence[str], study: Study) -> None:
    """Refuse a study that this hospital's limits rule out, before anything is read or trained.

    ``members`` are the declared sites whose patients are here: the hospital's own name, but for a simulation's pool.
    """
    if not set(members) <= set(study.sites):
        raise PrivacyRefusal("not-my-study", "this hospital is not one of the study's sites")
    if isinstance(study.privacy, DpSgd):
        if study.privacy.epsilon > site.limits.max_epsilon:
            raise PrivacyRefusal(
                "hospital-limit",
                f"the study asks for epsilon {study.privacy.epsilon:g}, this hospital allows {site.limits.max_epsilon:g}",
            )
    elif not site.limits.allow_without_privacy:
        raise PrivacyRefusal("privacy-required", "this hospital takes part under differential privacy only")


def check_outgoing(envelope: Envelope, site: Site, model: MultimodalModel | None) -> None:
    """Refuse a message that must not leave; the last check before the egress log, whatever came before it."""
    header, arrays = envelope.header, envelope.arrays
    if any(not np.all(np.isfinite(values)) for values in arrays.values()):
        raise PrivacyRefusal("not-finite", "the message holds a number that is not finite")
    if isinstance(header, Trained):
        _check_shapes(arrays, {} if model is None else {n: tuple(p.shape) for n, p in model.named_parameters()})
    elif isinstance(header, Tallied):
        if any(values.ndim != 2 or values.shape[0] != 2 for values in arrays.values()):
            raise PrivacyRefusal("wrong-shape", "a tally has two rows of cells")
    elif arrays:
        raise PrivacyRefusal("unexpected-arrays", "this kind of message carries no arrays")
    _check_counts(header, site)


def _check_shapes(arrays: Arrays, declared: Mapping[str, tuple[int, ...]]) -> None:
    for name, values in arrays.items():
        if declared.get(name) != tuple(values.shape):
            raise PrivacyRefusal("wrong-shape", "the message holds an array that is no parameter of the study's model")


def _check_counts(header: AnyHeader, site: Site) -> None:
    counts: list[int | None] = []
    if isinstance(header, Described):
        for cohort in header.cohorts:
            counts += [cohort.n, cohort.events, *cohort.excluded.values()]
    elif isinstance(header, Evaluated):
        for figures in header.figures:
            counts += [figures.n, figures.events, *_cells(figures)]
            if figures.auc is not None and not _large(figures, site):
                raise PrivacyRefusal("too-few", "a figure of too few patients must not leave")
    if any(count is not None and 0 < count < site.limits.min_cell for count in counts):
        raise PrivacyRefusal("small-cell", f"a count below {site.limits.min_cell} must not leave")


def _cells(figures: SiteFigures) -> list[int]:
    return [*figures.event_cells, *figures.other_cells, *(figures.confusion or ())]


def _large(figures: SiteFigures, site: Site) -> bool:
    n, events = figures.n or 0, figures.events or 0
    return n >= site.limits.min_patients and min(events, n - events) >= site.limits.min_class
