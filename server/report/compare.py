"""Two runs side by side: what differs between them, and the main measure of each model in both."""

from collections.abc import Sequence

from server.report import wording
from server.report.layout import Cell, Group, Table, estimate_cell, head
from server.report.results import Results
from server.report.view import ORACLE, Column, Estimate, Panel, Place, View

Names = tuple[str, str]
NOTE = (
    "B minus A is no test: it holds what the runs differ in and, under privacy, other noise; the patients are the same "
    "only where data and splits are."
)


def comparison(names: Names, runs: tuple[Results, Results]) -> tuple[Table, ...]:
    """A table of facts, and one of figures; ``names`` are the runs' folders."""
    return (_facts(names, runs), _figures(names, (View(runs[0]), View(runs[1]))))


def _facts(names: Names, runs: tuple[Results, Results]) -> Table:
    told = [_told(run) for run in runs]
    rows = []
    for fact in dict.fromkeys([*told[0], *told[1]]):
        first, second = (each.get(fact, wording.DASH) for each in told)
        rows.append((Cell(fact), Cell(first), Cell("same" if first == second else second, strong=first != second)))
    headings = (Cell("Fact"), Cell("A", (names[0],)), Cell("B", (names[1],)))
    return Table("facts", "Two runs", headings, (Group("", tuple(rows)),))


def _told(run: Results) -> dict[str, str]:
    study = run.study
    facts = {
        "study": study.name,
        "digest": study.digest[:12],
        "overrides": ", ".join(study.overrides) or "none",
        "primary model": study.primary,
        "engine": run.engine,
        "seed": f"{run.seed}",
        "privacy": wording.privacy_line(run),
        "hospitals": ", ".join(sorted({row.site for row in run.cohorts})),
        "seconds": f"{run.timing.seconds_total:.0f}",
    }
    return {**facts, **run.environment}


def _figures(names: Names, views: tuple[View, View]) -> Table:
    """Every model under the main arm, and each run's primary model under the others, cohort by cohort."""
    a, b = views
    measure = a.measure
    panels = list(dict.fromkeys([*a.panels(), *b.panels()]))
    columns = list(dict.fromkeys(column for view in views for column in view.columns if column.arm != ORACLE))
    groups = []
    for panel in panels:
        for column in columns:
            shown = list(
                dict.fromkeys([*a.models, *b.models]) if column in (a.main, b.main) else [a.primary, b.primary]
            )
            rows = tuple(row for model in dict.fromkeys(shown) for row in _row(views, (panel, column), model, measure))
            if rows:
                groups.append(Group(f"{panel.title}, {column.text}", rows))
    name = wording.metric_name(measure)
    headings = (*head("Model", "A", "B", "B minus A"), Cell("n / events"))
    return Table("runs", f"{name} in both runs", headings, tuple(groups), (NOTE,))


def _row(views: Sequence[View], where: tuple[Panel, Column], model: str, measure: str) -> tuple[tuple[Cell, ...], ...]:
    panel, column = where
    figures = [view.figure(column, Place(model, panel.fold, panel.cohort), measure) for view in views]
    if all(figure.value is None for figure in figures):
        return ()
    strong = all(model == view.primary for view in views)
    cells = [estimate_cell(figure, measure) for figure in figures]
    return ((Cell(model, strong=strong), *cells, Cell(_difference(figures, measure)), Cell(_sizes(figures))),)


def _difference(figures: Sequence[Estimate], measure: str) -> str:
    first, second = (figure.value for figure in figures)
    return wording.DASH if first is None or second is None else wording.signed(second - first, measure)


def _sizes(figures: Sequence[Estimate]) -> str:
    """Patients and events, of both runs where they differ."""
    return " and ".join(dict.fromkeys(wording.counts(figure.n, figure.events) for figure in figures))
