"""The report's sections that hold figures against each other: planned comparisons, and what a paper printed."""

from server.report import wording
from server.report.layout import Cell, Group, Section, Table, estimate_cell, head
from server.report.results import Comparison, Published
from server.report.side_by_side import common_size
from server.report.view import Estimate, Place, View


def comparisons(view: View) -> Section:
    """Planned comparisons of models on the same patients, difference first and p second."""
    rows = tuple(_comparison(row) for row in view.results.comparisons)
    headings = head("Cohort", "Model", "minus", "Metric", "Difference", "p", "p, adjusted")
    table = Table("comparisons", "Planned comparisons on the same patients", headings, (Group("", rows),))
    return Section("comparisons", "Comparisons", tables=(table,) if rows else ())


def _comparison(row: Comparison) -> tuple[Cell, ...]:
    difference = estimate_cell(Estimate(row.difference, row.low, row.high), row.metric)
    ps = [wording.DASH if p is None else wording.p_value(p) for p in (row.p, row.p_adjusted)]
    names = (wording.COHORTS[row.cohort], row.model_a, row.model_b, wording.metric_name(row.metric))
    return (*map(Cell, names), difference, *map(Cell, ps))


def published(view: View) -> Section:
    """A paper's figures beside this run's, plainly told apart."""
    rows = tuple(_published(view, row) for row in view.results.published)
    table = Table(
        "published",
        "Published figures, and this run's primary model",
        head("Figure", "Published (not computed here)", f"This run, {view.main.text}"),
        (Group("", rows),),
        ("Published figures come from other patients: the two columns are no test of each other.",),
    )
    return Section("published", "Beside the published figures", tables=(table,) if rows else ())


def _published(view: View, row: Published) -> tuple[Cell, ...]:
    ours = [view.figure(view.main, Place(view.primary, fold, row.cohort), row.metric) for fold in view.folds]
    size = common_size(ours)
    cell = estimate_cell(ours[0], row.metric, sized=size is not None)
    if view.left_out:
        cell = Cell(wording.DASH, ("one figure a left-out hospital: see the side-by-side table",))
    name = f"{wording.metric_name(row.metric)}, {wording.COHORTS[row.cohort].lower()}"
    theirs = estimate_cell(Estimate(row.estimate, row.low, row.high), row.metric)
    return (Cell(name), Cell(theirs.text, (*theirs.small, "published")), Cell(cell.text, (*cell.small, "this run")))
