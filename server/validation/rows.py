"""Rows of ``results.json`` from the records of runs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from server.record import RunRecord
from server.report.participants import CohortRecord
from server.report.results import CrossSite, Metric
from server.validation.main_measure import main_measure, mean_auc
from server.validation.noised import noised, noised_estimates, pooled_noised_auc
from server.validation.risks import measures_over_hospitals, over_hospitals, site_measures, site_risks
from server.validation.summary import (
    Estimate,
    answered,
    counted,
    fine,
    pooled_auc,
    site_auc,
    tallies_of,
    within_hospital_auc,
)
from shared.cohorts import ROLES, Role
from shared.metrics.agreement import cohen_kappa
from shared.metrics.classification import ConfusionTally, wilson
from shared.outcomes.binary import Binary
from shared.schemes import KFold
from shared.study import Study
from shared.wire import SiteFigures

SMALL_CELL = "too few on one side of the threshold"
MEASURES = ("sensitivity", "specificity", "accuracy", "ppv", "npv")


@dataclass(frozen=True)
class Key:
    """What a figure is of: a model of a run on one cohort."""

    record: RunRecord
    model: str
    role: Role


def by_cohort(record: RunRecord, model: str, role: Role, target: str = "") -> list[tuple[str, SiteFigures]]:
    """(hospital, figures) of one model on one cohort, by hospital's name; ``target`` is a question of the outcome."""
    return [
        (site, figures)
        for site, all_of in sorted(record.figures.items())
        for figures in all_of
        if (figures.model, figures.role, figures.target) == (model, role, target)
    ]


def metric_rows(study: Study, record: RunRecord) -> Iterator[Metric]:
    """Every figure of every model on every cohort, and the thresholds."""
    for model in study.compared:
        for role in ROLES:
            key = Key(record, model, role)
            if isinstance(study.outcome, Binary):
                figures = by_cohort(record, model, role)
                rows = _noised_metrics if noised([own for _, own in figures]) else _cohort_metrics
                yield from rows(key, figures)
            else:
                yield from _outcome_metrics(key)
    for model, threshold in record.thresholds.items() if isinstance(study.outcome, Binary) else ():
        reason = "" if threshold is not None else "no threshold could be chosen"
        method = "logit, mean of the folds' own" if record.folds else "logit, frozen before validation"
        key = Key(record, model, "internal" if record.folds else "train")
        yield _metric(key, None, "threshold", Estimate(threshold, method=method, reason=reason), [])


def fold_rows(study: Study, record: RunRecord) -> Iterator[Metric]:
    """The main measure of every model on the part that one fold of a cross-validation held out."""
    measure = main_measure(study.outcome)
    for row in metric_rows(study, record):
        if row.metric == measure and row.cohort == "internal":
            yield row


def _cohort_metrics(key: Key, figures: list[tuple[str, SiteFigures]]) -> Iterator[Metric]:
    """By hospital, and over the hospitals; where everything is withheld the AUC's row says why for all figures."""
    if all("all" in own.reasons and counted(own) is None for _, own in figures):
        yield from (_metric(key, site, "auc", site_auc(own), [own]) for site, own in figures)
        if figures:
            yield _metric(key, None, "auc", within_hospital_auc([own for _, own in figures]), [o for _, o in figures])
        return
    for site, own in figures:
        for name, estimate in _site_estimates(key, own).items():
            yield _metric(key, site, name, estimate, [own])
    every = [own for _, own in figures]
    if not every:
        return
    yield _metric(key, None, "auc", within_hospital_auc(every), every)
    for name, estimate in {**over_hospitals(every), **_decision_estimates(key, every)}.items():
        yield _metric(key, None, name, estimate, every)
    if (pooled := pooled_auc(fine(every))) is not None:
        yield _metric(key, None, "auc_pooled", pooled, fine(every))


def _noised_metrics(key: Key, figures: list[tuple[str, SiteFigures]]) -> Iterator[Metric]:
    """By hospital, and over the hospitals, from noised tallies."""
    middle, every = key.record.thresholds.get(key.model) or 0.0, [own for _, own in figures]
    for site, own in figures:
        for name, estimate in noised_estimates([own], middle).items():
            yield _metric(key, site, name, estimate, [own])
    for name, estimate in noised_estimates(every, middle).items():
        yield _metric(key, None, name, estimate, every)
    if (pooled := pooled_noised_auc(every)) is not None:
        yield _metric(key, None, "auc_pooled", pooled, every)


def _outcome_metrics(key: Key) -> Iterator[Metric]:
    """Of an outcome with several questions or none: each question's figures by its name, and the outcome's own."""
    own_cohort = [own for of_site in key.record.figures.values() for own in of_site]
    named = [own for own in own_cohort if (own.model, own.role) == (key.model, key.role)]
    areas: dict[str | None, dict[str, Estimate]] = {}  # by hospital and question
    asked: dict[str | None, list[SiteFigures]] = {}  # by hospital, whose units are those of each question
    for target in dict.fromkeys(own.target for own in named):
        figures = by_cohort(key.record, key.model, key.role, target)
        every = [own for _, own in figures]
        for site, estimates, of in _question(figures) if target else ():
            areas.setdefault(site, {})[target] = estimates["auc"]
            asked[site] = of
            for name, estimate in estimates.items():
                yield _metric(key, site, f"{name}.{target}", estimate, of)
        for site, own in figures:
            for name, estimate in site_measures(own).items():
                yield _whole(_metric(key, site, name, estimate, [own]), target)
        for name, estimate in measures_over_hospitals(every).items():
            yield _whole(_metric(key, None, name, estimate, every), target)
    for place, questions in areas.items():
        yield _whole(_metric(key, place, "auc_macro", mean_auc(questions), asked[place]), *questions)


def _whole(row: Metric, *questions: str) -> Metric:
    """A figure of the whole outcome: where that is several questions, the events of one of them are not its own."""
    return row.model_copy(update={"events": None}) if any(questions) else row


def _question(
    figures: list[tuple[str, SiteFigures]],
) -> list[tuple[str | None, dict[str, Estimate], list[SiteFigures]]]:
    """A question's estimates by hospital, and under None over all of them, with the figures that they are of."""
    every = [own for _, own in figures]
    return [
        *((site, {"auc": site_auc(own), **site_risks(own)}, [own]) for site, own in figures),
        (None, {"auc": within_hospital_auc(every), **over_hospitals(every)}, every),
    ]


def cohort_rows(study: Study, record: RunRecord) -> Iterator[CohortRecord]:
    """Patients by hospital and role; who trains a k-fold's last model was held out once, and is counted there."""
    counted = ROLES[1:] if isinstance(study.cohorts, KFold) else ROLES
    for site, counts in sorted(record.cohorts.items()):
        for count in (count for count in counts if count.role in counted):
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
                    n=counted(own),
                    reason=estimate.reason or None,
                )


def _site_estimates(key: Key, own: SiteFigures) -> dict[str, Estimate]:
    return {"auc": site_auc(own), **site_risks(own), **_decision_estimates(key, [own])}


def _decision_estimates(key: Key, figures: Sequence[SiteFigures]) -> dict[str, Estimate]:
    """Measures at the frozen threshold of the hospitals together; null as soon as one could not tell."""
    tables = [tally.decisions() for tally in tallies_of(figures)]
    if len(tables) < len(figures):
        reason = ", ".join(sorted({reason for f in figures for reason in f.reasons.values()})) or "not reported"
    elif key.record.thresholds.get(key.model) is None:
        reason = "no threshold could be chosen"
    else:
        reason = ""
    events = None if reason else _added([events for events, _ in tables])
    others = None if reason else _added([others for _, others in tables])
    named: dict[str, tuple[int, int] | None] = {"sensitivity": events, "specificity": others}
    table = None
    if events is not None and others is not None:
        table = ConfusionTally(events[0], others[1], others[0], events[1])
        named |= {name: (right, total - right) for name, (right, total) in table.proportions.items()}
    rates = {name: _rate(named.get(name), reason or SMALL_CELL) for name in MEASURES}
    f1 = table.f1 if table else None
    undefined = "" if f1 is not None else reason or SMALL_CELL if table is None else "no event and no positive decision"
    rates["kappa"] = _kappa(table, reason or SMALL_CELL)
    return {**rates, "f1": Estimate(f1, method="frozen threshold" if f1 is not None else "", reason=undefined)}


def _kappa(table: ConfusionTally | None, reason: str) -> Estimate:
    """Cohen's kappa of the decisions with the outcome."""
    if table is None:
        return Estimate(None, reason=reason)
    tp, fp, tn, fn = table.cells
    found = cohen_kappa([[tp, fp], [fn, tn]])
    if found is None:
        return Estimate(None, reason="chance alone would agree")
    return Estimate(found.kappa, max(found.low, -1.0), min(found.high, 1.0), "Cohen's kappa, frozen threshold")


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
        return Estimate(None, reason="no patient of that kind")
    return Estimate(right / trials, *wilson(right, trials), method="Wilson interval, frozen threshold")


def _metric(key: Key, site: str | None, name: str, estimate: Estimate, figures: Sequence[SiteFigures]) -> Metric:
    """A row; over hospitals its patients are those of whom the figure is, and of a withheld one all that were told."""
    every = site is not None or estimate.value is None
    told = [f for f in figures if counted(f) is not None and (every or answered(f))]
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
        n=sum(counted(f) or 0 for f in told) if told else None,
        events=sum(f.events or 0 for f in told) if any(f.events is not None for f in told) else None,
        method=_method(estimate, key.record),
        reason=estimate.reason or None,
    )


def _method(estimate: Estimate, record: RunRecord) -> str | None:
    if not estimate.method or not record.folds:
        return estimate.method or None
    return f"{estimate.method}; cross-validated: joined over the held-out parts of {record.folds} folds"
