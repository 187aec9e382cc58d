"""A cross-validation's summary: the figures of the held-out parts joined by hospital, as one record an arm.

Every patient is held out once, so the parts are of different patients and their variances add. An AUC is joined within
parts, as scores of different models are not compared; its interval is that of these models' mean over the folds
(LeDell, Petersen and van der Laan 2015): how much another training set would change them is not in it.
"""

import math
from collections.abc import Sequence
from functools import reduce
from operator import add

from server.record import RunRecord
from shared.cohorts import MAIN, Role
from shared.metrics.cells import Cells
from shared.risk_figures import CalibrationFigures, Paired, RiskFigures
from shared.schemes import KFold
from shared.score_cells import ClassCells
from shared.study import Study
from shared.wire import CohortCount, SiteFigures

HELD: Role = "internal"  # the role of a part that is kept aside
Shares = Sequence[float]


def summarised(study: Study, records: Sequence[RunRecord]) -> list[RunRecord]:
    """What the results are made from: the runs; of a k-fold those of its last model, and a summary of its parts."""
    if not isinstance(study.cohorts, KFold):
        return list(records)
    groups: dict[tuple[str, bool], list[RunRecord]] = {}
    for record in records:
        if record.run.fold != MAIN:
            groups.setdefault((record.run.arm, record.private), []).append(record)
    return [*(record for record in records if record.run.fold == MAIN), *(_joined(own) for own in groups.values())]


def _joined(records: Sequence[RunRecord]) -> RunRecord:
    first = records[0]
    sites = sorted({site for record in records for site in record.figures})
    parts = {
        site: [own for record in records for own in record.figures.get(site, ()) if own.role == HELD] for site in sites
    }
    return RunRecord(
        run=first.run.model_copy(update={"fold": MAIN}),
        private=first.private,
        trainers=first.trainers,
        cohorts={site: _counted([record.cohorts.get(site, ()) for record in records]) for site in sites},
        ledger=(),
        models="",
        thresholds={model: _common([record.thresholds.get(model) for record in records]) for model in first.thresholds},
        figures={site: tuple(_of_questions(own)) for site, own in parts.items()},
        portraits={
            site: tuple(own for record in records for own in record.portraits.get(site, ()) if own.role == HELD)
            for site in sites
        },
        failures=(),
        unpublished=(),
        rounds=(),
        notes=tuple(_missing(parts, len(records))),
        seconds=0.0,
        folds=len(records),
    )


def _common(thresholds: Sequence[float | None]) -> float | None:
    """The mean of the folds' thresholds; tallies are around each fold's own, so that decisions stay as they were."""
    known = [value for value in thresholds if value is not None]
    return sum(known) / len(known) if len(known) == len(thresholds) else None


def _counted(folds: Sequence[Sequence[CohortCount]]) -> tuple[CohortCount, ...]:
    """All held-out parts of a hospital together; what its table left out is told once."""
    held = [count for counts in folds for count in counts if count.role == HELD]
    excluded = next((count.excluded for counts in folds[:1] for count in counts if count.excluded), {})
    if not held:
        return ()
    n, events = ([getattr(count, name) for count in held] for name in ("n", "events"))
    reason = ", ".join(sorted({count.reason for count in held if count.reason}))
    total_n, total_events = (None if None in told else sum(told) for told in (n, events))
    return (CohortCount(role=HELD, n=total_n, events=total_events, excluded=excluded, reason=reason),)


def _missing(parts: dict[str, list[SiteFigures]], folds: int) -> list[str]:
    """Hospitals whose figures are of some of their parts only."""
    notes = []
    for site, own in parts.items():
        untold = sum(
            "all" in part.reasons for part in own if (part.model, part.target) == (own[0].model, own[0].target)
        )
        if untold:
            notes.append(
                f"{site}: {untold} of {folds} held-out parts are too few to report, and are not in the cross-validated "
                "figures"
            )
    return notes


def _of_questions(parts: Sequence[SiteFigures]) -> list[SiteFigures]:
    """One hospital's parts, joined for each model and question."""
    groups: dict[tuple[str, str], list[SiteFigures]] = {}
    for part in parts:
        groups.setdefault((part.model, part.target), []).append(part)
    return [joined(own) for own in groups.values()]


def joined(parts: Sequence[SiteFigures]) -> SiteFigures:
    """Figures of disjoint patients of one hospital, each part under its own model, as those of all of them.

    Parts that were withheld are left out; where all were, the first says why.
    """
    told = [part for part in parts if "all" not in part.reasons and part.n]
    if len(told) < 2:
        return (told or list(parts))[0]
    first, sizes = told[0], [float(part.n or 0) for part in told]
    by_size = [size / sum(sizes) for size in sizes]
    areas = None not in [part.auc for part in told]
    by_pairs = _by_pairs(told) if areas else by_size
    return first.model_copy(
        update={
            "n": int(sum(sizes)),
            "events": None if first.events is None else sum(part.events or 0 for part in told),
            "patients": sum(part.patients or 0 for part in told),
            "measures": _measures(told, by_size),
            "auc": _mean([part.auc or 0.0 for part in told], by_pairs) if areas else None,
            "auc_variance": _variance([part.auc_variance or 0.0 for part in told], by_pairs) if areas else None,
            "brier": _mean([part.brier or 0.0 for part in told], by_size) if first.brier is not None else None,
            "risk": _risk(told, by_size, by_pairs),
            "event_cells": _cells([part.event_cells for part in told]),
            "other_cells": _cells([part.other_cells for part in told]),
        }
    )


def _by_pairs(parts: Sequence[SiteFigures]) -> list[float]:
    pairs = [float(part.events or 0) * ((part.n or 0) - (part.events or 0)) for part in parts]
    return [own / sum(pairs) for own in pairs]


def _mean(values: Sequence[float], shares: Shares) -> float:
    return sum(share * value for share, value in zip(shares, values, strict=True))


def _variance(variances: Sequence[float], shares: Shares) -> float:
    """Of a weighted mean of figures of different patients."""
    return sum(share**2 * value for share, value in zip(shares, variances, strict=True))


def _measures(parts: Sequence[SiteFigures], shares: Shares) -> dict[str, float]:
    """The outcome's own figures: means over patients, of squares where they are roots of them."""
    found = {}
    for name in parts[0].measures:
        values = [part.measures[name] for part in parts if name in part.measures]
        if len(values) < len(parts):
            continue
        if name.endswith("_error"):
            found[name] = math.sqrt(_variance([value**2 for value in values], shares))
        else:
            power = 2 if name.partition(".")[0] == "rmse" else 1
            found[name] = _mean([value**power for value in values], shares) ** (1 / power)
    return found


def _risk(parts: Sequence[SiteFigures], by_size: Shares, by_pairs: Shares) -> RiskFigures | None:
    """Sums and means; average precision and curves are of one model's ranks, and are not joined."""
    risks = [part.risk for part in parts if part.risk]
    if len(risks) < len(parts):
        return None
    paired = [risk.paired for risk in risks if risk.paired]
    return RiskFigures(
        expected=sum(risk.expected for risk in risks),
        log_loss=_mean([risk.log_loss for risk in risks], by_size),
        precision=None,
        calibration=_calibration([risk.calibration for risk in risks], by_size),
        paired=Paired(
            auc=_digits(_variance([own.auc for own in paired], by_pairs)),
            brier=_digits(_variance([own.brier for own in paired], by_size)),
        )
        if len(paired) == len(risks)
        else None,
    )


def _calibration(fits: Sequence[CalibrationFigures | None], shares: Shares) -> CalibrationFigures | None:
    """The parts' lines, their mean; None where one could not be fitted."""
    told = [fit for fit in fits if fit]
    if len(told) < len(fits):
        return None

    def mean(name: str) -> float:
        return _mean([getattr(fit, name) for fit in told], shares)

    def variance(name: str) -> float:
        return _variance([getattr(fit, name) for fit in told], shares)

    return CalibrationFigures(
        large=mean("large"),
        large_variance=variance("large_variance"),
        intercept=mean("intercept"),
        slope=mean("slope"),
        slope_variance=variance("slope_variance"),
        mean=mean("mean"),
        deviation=mean("deviation"),
    )


def _cells(parts: Sequence[ClassCells | None]) -> ClassCells | None:
    """Counts on the edges that all parts kept; None where one has none."""
    told = [Cells(part.edges, part.counts) for part in parts if part]
    if not told or len(told) < len(parts):
        return None
    together = reduce(add, told)
    return ClassCells(edges=together.edges, counts=tuple(map(int, together.counts)))


def _digits(value: float) -> float:
    return float(f"{value:.4g}")
