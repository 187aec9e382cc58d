"""Rows of ``results.json`` from the records of runs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from server.record import RunRecord
from server.report.results import CohortRecord, CrossSite, Curve, Metric
from server.validation.summary import Estimate, bins_of, pooled_tally, site_auc, tallies_of, within_hospital_auc
from shared.cohorts import ROLES, Role
from shared.metrics.classification import wilson
from shared.study import Study
from shared.wire import SiteFigures

SMALL_CELL = "too few on one side of the threshold"


@dataclass(frozen=True)
class Key:
    """What a figure is of: a model of a run on one cohort."""

    record: RunRecord
    model: str
    role: Role


def by_cohort(record: RunRecord, model: str, role: Role) -> list[tuple[str, SiteFigures]]:
    """(hospital, figures) of one model on one cohort, by hospital's name."""
    return [
        (site, figures)
        for site, all_of in sorted(record.figures.items())
        for figures in all_of
        if (figures.model, figures.role, figures.target) == (model, role, "")
    ]


def metric_rows(study: Study, record: RunRecord) -> Iterator[Metric]:
    """Every figure of every model on every cohort, and the thresholds."""
    for model in study.models:
        for role in ROLES:
            if figures := by_cohort(record, model, role):
                yield from _cohort_metrics(Key(record, model, role), figures)
    for model, threshold in record.thresholds.items():
        reason = "" if threshold is not None else "no threshold could be chosen"
        estimate = Estimate(threshold, method="logit, frozen before validation", reason=reason)
        yield _metric(Key(record, model, "train"), None, "threshold", estimate, [])


def _cohort_metrics(key: Key, figures: list[tuple[str, SiteFigures]]) -> Iterator[Metric]:
    """By hospital, and over the hospitals."""
    for site, own in figures:
        for name, estimate in _site_estimates(key, own).items():
            yield _metric(key, site, name, estimate, [own])
    every = [own for _, own in figures]
    yield _metric(key, None, "auc", within_hospital_auc(every), every)
    for name, estimate in _decision_estimates(key, every).items():
        yield _metric(key, None, name, estimate, every)
    tally = pooled_tally(every)
    value = tally.auc() if tally else None
    if value is not None:
        binned = Estimate(value, method=f"pooled, {bins_of(every)} bins or more a hospital")
        yield _metric(key, None, "auc_pooled", binned, every)


def curve_rows(study: Study, record: RunRecord) -> Iterator[Curve]:
    """ROC curves over the hospitals of each cohort, from tallies."""
    for model in study.models:
        for role in ROLES:
            figures = [own for _, own in by_cohort(record, model, role)]
            tally = pooled_tally(figures)
            points = tally.roc() if tally else None
            if tally and points:
                yield Curve(
                    kind="roc",
                    model=model,
                    arm=record.run.arm,
                    private=record.private,
                    fold=record.run.fold,
                    cohort=role,
                    site=None,
                    x=tuple(points[0]),
                    y=tuple(points[1]),
                    bins=bins_of(figures),
                )


def cohort_rows(record: RunRecord) -> Iterator[CohortRecord]:
    """Patients by hospital and role."""
    for site, counts in sorted(record.cohorts.items()):
        for count in counts:
            yield CohortRecord(
                name=count.role,
                site=site,
                role=count.role,
                fold=record.run.fold,
                n=count.n,
                events=count.events,
                excluded=dict(count.excluded),
                reason=count.reason or None,
            )


def cross_site_rows(study: Study, records: Sequence[RunRecord]) -> Iterator[CrossSite]:
    """The primary model of every arm at every hospital, on patients that it was not trained on.

    In leave-one-site-out a column is the left-out hospital's: each model stands once, in the fold where it is external.
    """
    for record in records:
        arm, _, trained_at = record.run.arm.partition(":")
        left_out = record.run.fold in study.sites
        for role in ROLES[2:] if left_out else ROLES[1:]:
            for site, own in by_cohort(record, study.primary, role):
                estimate = site_auc(own)
                yield CrossSite(
                    arm=arm,  # type: ignore[arg-type]
                    private=record.private,
                    trained_at=trained_at or arm,
                    site=site,
                    metric="auc",
                    estimate=estimate.value,
                    low=estimate.low,
                    high=estimate.high,
                    n=own.n,
                    reason=estimate.reason or None,
                )


def _site_estimates(key: Key, own: SiteFigures) -> dict[str, Estimate]:
    missing = own.reasons.get("all", "")
    brier_reason = own.reasons.get("auc") or missing or "not reported"
    estimates = {
        "auc": site_auc(own),
        "brier": Estimate(own.brier, method="mean squared error", reason="" if own.brier is not None else brier_reason),
    }
    return {**estimates, **_decision_estimates(key, [own])}


def _decision_estimates(key: Key, figures: Sequence[SiteFigures]) -> dict[str, Estimate]:
    """Sensitivity, specificity and accuracy of the hospitals together; null as soon as one could not tell."""
    tables = [tally.decisions() for tally in tallies_of(figures)]
    if len(tables) < len(figures):
        reason = ", ".join(sorted({reason for f in figures for reason in f.reasons.values()})) or "not reported"
    elif key.record.thresholds.get(key.model) is None:
        reason = "no threshold could be chosen"
    else:
        reason = ""
    events = None if reason else _added([events for events, _ in tables])
    others = None if reason else _added([others for _, others in tables])
    both = None if events is None or others is None else (events[0] + others[0], events[1] + others[1])
    named = {"sensitivity": events, "specificity": others, "accuracy": both}
    return {name: _rate(table, reason or SMALL_CELL) for name, table in named.items()}


def _added(tables: Sequence[tuple[int, int] | None]) -> tuple[int, int] | None:
    known = [table for table in tables if table is not None]
    if len(known) < len(tables):
        return None
    return sum(right for right, _ in known), sum(wrong for _, wrong in known)


def _rate(table: tuple[int, int] | None, reason: str) -> Estimate:
    if table is None:
        return Estimate(None, reason=reason)
    right, trials = table[0], sum(table)
    if trials == 0:
        return Estimate(None, reason="no patient of that class")
    return Estimate(right / trials, *wilson(right, trials), method="Wilson interval, frozen threshold")


def _metric(key: Key, site: str | None, name: str, estimate: Estimate, figures: Sequence[SiteFigures]) -> Metric:
    """A row; its patients are those of the hospitals that told how many they are."""
    told = [f for f in figures if f.n is not None]
    return Metric(
        model=key.model,
        arm=key.record.run.arm,
        private=key.record.private,
        fold=key.record.run.fold,
        cohort=key.role,
        site=site,
        metric=name,
        estimate=estimate.value,
        low=estimate.low,
        high=estimate.high,
        n=sum(f.n or 0 for f in told) if told else None,
        events=sum(f.events or 0 for f in told) if told else None,
        method=estimate.method or None,
        reason=estimate.reason or None,
    )
