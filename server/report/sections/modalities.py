"""Which modalities patients have, and how the model does on those who lack some."""

from collections.abc import Sequence

from server.report import wording
from server.report.layout import Cell, Group, Section, Table, estimate_cell, head
from server.report.participants import Pattern
from server.report.results import PatternFigure
from server.report.sections.participants import undescribed
from server.report.view import Estimate, View, unique

OTHER = "patterns that are too few to report, together"


def modalities(view: View) -> Section:
    """Patterns by hospital, and figures by pattern."""
    return Section("modalities", "Modalities and what is missing", tables=(*_patterns(view), *missing_modalities(view)))


def _patterns(view: View) -> tuple[Table, ...]:
    rows = [row for row in view.results.patterns if row.fold == view.folds[0]] or list(view.results.patterns)
    sites = [None, *unique(row.site for row in rows)]
    groups = tuple(
        Group(title, _lines([row for row in rows if row.cohort == cohort], sites))
        for cohort, title in wording.COHORTS.items()
    )
    table = Table(
        "patterns",
        "Patients by the modalities that they have",
        (Cell("Modalities"), *(Cell(site or "All", number=True) for site in sites)),
        tuple(group for group in groups if group.rows),
        (f"{wording.DASH}: too few to report.", *undescribed(view)),
    )
    return (table,) if rows else ()


def _lines(rows: Sequence[Pattern], sites: Sequence[str | None]) -> tuple[tuple[Cell, ...], ...]:
    found = {(row.present, row.other, row.site): row for row in rows}
    patterns = sorted(dict.fromkeys((row.present, row.other) for row in rows), key=lambda pattern: pattern[1])
    return tuple(
        (
            Cell(OTHER if other else wording.model_name(present) if present else "none of them"),
            *(Cell(_count(found.get((present, other, site))), number=True) for site in sites),
        )
        for present, other in patterns
    )


def _count(row: Pattern | None) -> str:
    return "0" if row is None else wording.count(row.n)


def missing_modalities(view: View) -> tuple[Table, ...]:
    """The primary model on patients who lack a modality, and with each taken away from all."""
    main = (view.primary, view.main.arm, view.main.private)
    rows = [r for r in view.results.pattern_figures if (r.model, r.arm, r.private) == main and r.site is None]
    metrics = unique(row.metric for row in rows)
    groups = []
    titles = {False: "patients who have exactly these", True: "all patients, the other modalities taken away"}
    for panel in view.panels():
        here = [row for row in rows if (row.fold, row.cohort) == (panel.fold, panel.cohort)]
        for removed, title in titles.items():
            found = {(row.present, row.metric): row for row in here if row.removed == removed}
            if found:
                presents = unique(present for present, _ in found)
                lines = tuple(
                    _line(view, present, [found.get((present, metric)) for metric in metrics]) for present in presents
                )
                groups.append(Group(f"{panel.title}: {title}", lines))
    headings = (Cell("Modalities"), *head(*map(wording.metric_name, metrics)), Cell(view.size_heading, number=True))
    caption = f"{view.primary} where modalities are missing: {view.main.text}"
    return (Table("missing-modalities", caption, headings, tuple(groups)),) if groups else ()


def _line(view: View, present: str, rows: Sequence[PatternFigure | None]) -> tuple[Cell, ...]:
    cells = [
        Cell(wording.DASH)
        if row is None
        else estimate_cell(Estimate(row.estimate, row.low, row.high, reason=row.reason), row.metric)
        for row in rows
    ]
    size = next(((row.n, row.events) for row in rows if row and row.n is not None), (None, None))
    return (Cell(wording.model_name(present)), *cells, Cell(view.counts(*size), number=True))
