"""Decisions of published nomograms beside the primary model's on the same patients: kappa, and McNemar's test."""

from collections.abc import Iterator, Sequence

import numpy as np

from server.record import RunRecord
from server.report.results import Reader
from server.validation.rows import by_cohort
from shared.cohorts import ROLES, Role
from shared.metrics.agreement import Agreement, cohen_kappa, mcnemar
from shared.metrics.classification import wilson
from shared.risk_figures import Joint
from shared.study import Study

NOTE = "a fixed formula, on this run's patients"
UNTOLD = "too few to report in a cell of the decisions of both"


def nomogram_rows(study: Study, record: RunRecord) -> Iterator[Reader]:
    """Of each nomogram and cohort over the hospitals that could tell: accuracy with McNemar's p, and both kappas."""
    for name in study.nomograms:
        for role in ROLES[1:]:
            figures = [own for _, own in by_cohort(record, name, role)]
            told = [own.risk.joint for own in figures if own.risk and own.risk.joint]
            if figures:
                yield from _rows((name, record, role), told)


def _rows(where: tuple[str, RunRecord, Role], told: Sequence[Joint]) -> Iterator[Reader]:
    """``told`` are the hospitals' tables: [primary's decision, nomogram's] of those with and without the event."""
    name, record, role = where
    events, others = (
        np.sum([np.reshape(side, (2, 2)) for side in sides], axis=0) if told else np.zeros((2, 2), dtype=np.int64)
        for sides in ([own.events for own in told], [own.others for own in told])
    )
    n, right = int(events.sum() + others.sum()), int(events[:, 0].sum() + others[:, 1].sum())
    base = {"reader": name, "fold": record.run.fold, "cohort": role, "site": None, "note": NOTE}
    size = {"n": n or None, "events": int(events.sum()) if n else None}
    if not n:
        for metric in ("accuracy", "kappa", "kappa_model"):
            yield Reader.model_validate({**base, **size, "metric": metric, "estimate": None, "reason": UNTOLD})
        return
    low, high = wilson(right, n)
    _, p = mcnemar(int(events[0, 1] + others[1, 0]), int(events[1, 0] + others[0, 1]))
    accuracy = {"metric": "accuracy", "estimate": right / n, "low": low, "high": high, "p": p}
    yield Reader.model_validate({**base, **size, **accuracy})
    with_outcome = np.array([events.sum(axis=0), others.sum(axis=0)]).T
    for metric, table in (("kappa", with_outcome), ("kappa_model", events + others)):
        yield Reader.model_validate({**base, **size, "metric": metric, **_agreement(cohen_kappa(table))})


def _agreement(found: Agreement | None) -> dict[str, object]:
    if found is None:
        return {"estimate": None, "reason": "chance alone would agree"}
    return {"estimate": found.kappa, "low": max(found.low, -1.0), "high": min(found.high, 1.0)}
