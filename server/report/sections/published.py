"""A paper's figures beside this run's, plainly told apart, and readers' and fixed scores' beside the model's."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from server.report import wording
from server.report.layout import Cell, Group, Section, Table, estimate_cell, head
from server.report.results import Published, Reader
from server.report.sections.models import WITHIN
from server.report.side_by_side import common_size
from server.report.view import Column, Estimate, Place, View, unique

LOG_RANK, DELONG = wording.TESTS
POOLED = Column("pooled")


def published(view: View) -> Section:
    """A paper's figures beside this run's."""
    rows = tuple(_published(view, row) for row in view.results.published)
    table = Table(
        "published",
        "Published figures, and this run's",
        head("Figure", "Published (not computed here)", f"This run, {view.main.text}", "Check of the published figure"),
        (Group("", rows),),
        (
            "Published figures come from other patients: the two columns are no test of each other. The check asks "
            "whether a table of whole patients can give the figures that were printed together.",
        ),
    )
    return Section("published", "Beside the published figures", tables=(table,) if rows else ())


def _published(view: View, row: Published) -> tuple[Cell, ...]:
    model = row.model or view.primary
    ours = [_ours(view, view.main, Place(model, fold, row.cohort), row.metric) for fold in view.folds]
    column = view.main
    if ours[0].reason == wording.NOT_RUN and POOLED in view.columns:  # a comparator, which no federation trains
        column, ours = POOLED, [_ours(view, POOLED, Place(model, fold, row.cohort), row.metric) for fold in view.folds]
    size = common_size(ours)
    cell = estimate_cell(ours[0], row.metric, sized=size is not None)
    if view.left_out:
        cell = Cell(wording.DASH, ("one figure a left-out hospital: see the side-by-side table",))
    name = f"{wording.metric_name(row.metric)}, {wording.COHORTS[row.cohort].lower()}"
    theirs = () if row.low is None or row.high is None else (wording.printed_range(row.low, row.high, row.metric),)
    check = Cell(row.flag, strong=True) if row.flag else Cell("no contradiction found" if row.checked else wording.DASH)
    return (
        Cell(name, (row.model,) if row.model else ()),
        Cell(wording.printed(row.estimate, row.metric), (*theirs, "published")),
        Cell(cell.text, (*cell.small, "this run" if column == view.main else f"this run, {column.text}")),
        check,
    )


def _ours(view: View, column: Column, place: Place, metric: str) -> Estimate:
    """This run's figure; a test's p stands with the risk groups' curves or with the planned comparisons."""
    if metric not in wording.TESTS:
        figure = view.figure(column, place, metric)
        apart = figure.reason == wording.NOT_RUN and metric in WITHIN and view.figure(column, place).value is not None
        return replace(figure, reason="within one hospital only") if apart else figure
    where = (column.arm, column.private, place.model, place.fold, place.cohort, place.site)
    for own in view.results.survival if metric == LOG_RANK else ():
        if (own.arm, own.private, own.model, own.fold, own.cohort, own.site) == where:
            return Estimate(own.p, n=own.n, events=own.events, reason=own.reason)
    for row in view.results.comparisons if metric == DELONG else ():
        pair = (row.arm_b, row.private_b, row.model_b, row.fold, row.cohort, row.site)
        if (row.kind, row.metric, row.model_a) == ("models", "auc", view.primary) and pair == where:
            return Estimate(row.p, n=row.n, events=row.events, reason=row.reason)
    return Estimate(None, reason=wording.NOT_RUN)


def readers(view: View) -> Section:
    """Readers and fixed scores, with kappa and McNemar's test against the primary model."""
    rows = view.results.readers
    metrics = unique(row.metric for row in rows)
    found = {(row.reader, row.fold, row.cohort, row.site, row.metric): row for row in rows}
    lines = list(dict.fromkeys((row.reader, row.fold, row.cohort, row.site) for row in rows))
    body = tuple(
        (
            Cell(reader),
            Cell(wording.COHORTS[cohort], (f"at {site}",) if site else ()),
            *(_reader(found.get((reader, fold, cohort, site, metric))) for metric in metrics),
        )
        for reader, fold, cohort, site in lines
    ) + _own_lines(view, metrics, {cohort for _, _, cohort, _ in lines})
    notes = (
        "p: McNemar's test against the primary model at its frozen threshold. Kappa: with the outcome; kappa with the "
        "model: with the primary model's classes. Readers of a paper saw other patients: no test there.",
    )
    table = Table(
        "readers",
        "Readers and fixed scores",
        head("Reader", "Cohort", *map(wording.metric_name, metrics)),
        (Group("", body),),
        notes,
    )
    return Section("readers", "Readers", tables=(table,) if rows else ())


def _own_lines(view: View, metrics: Sequence[str], cohorts: Collection[str]) -> tuple[tuple[Cell, ...], ...]:
    """The primary model beside the readers, on this run's patients of the same cohorts."""
    name = Cell(view.primary, (f"this run, {view.main.text}",))
    return tuple(
        (
            name,
            Cell(panel.title),
            *(estimate_cell(view.main_figure(panel, metric), metric, sized=True) for metric in metrics),
        )
        for panel in view.panels()
        if panel.cohort in cohorts and any(view.main_figure(panel, metric).value is not None for metric in metrics)
    )


def _reader(row: Reader | None) -> Cell:
    if row is None:
        return Cell(wording.DASH)
    cell = estimate_cell(
        Estimate(row.estimate, row.low, row.high, row.n, row.events, row.reason), row.metric, sized=True
    )
    return Cell(
        cell.text,
        (*cell.small, *([row.note] if row.note else []), *([] if row.p is None else [f"p {wording.p_sign(row.p)}"])),
    )
