"""Who took part: the flow of patients, cohorts, Table 1."""

from collections.abc import Sequence

from server.report import wording
from server.report.figures.flow import flow_figure
from server.report.layout import Cell, Group, Section, Table, head
from server.report.participants import UNKNOWN, Characteristic, CohortRecord
from server.report.view import View, unique

OVERALL = "All"
UNTOLD = (
    "Who lacks a value is not known of numbers read without missing indicators (`indicators` in the study file).",
)


def participants(view: View) -> Section:
    """Flow diagram, counts, baseline characteristics."""
    tables = (*_cohorts(view), *_splits(view), *_baseline(view))
    return Section("participants", "Participants", figures=flow_figure(view), tables=tables)


def _cohorts(view: View) -> tuple[Table, ...]:
    rows = [row for row in view.cohorts if not view.left_out or row.name == "external"]
    notes = ["Left out: rows of the table left out by rule, before there were cohorts; told once a hospital."]
    if view.left_out:
        notes.append("Each hospital is external once, and trains in the other folds: those rows are in cohorts.csv.")
    if view.parts:
        notes.append(
            f"Internal: each patient is held out in one of {len(view.parts)} folds and trains in the others; with "
            "external hospitals all of them train the model that is evaluated there."
        )
    events = (Cell("Events", number=True),) if view.has_events else ()
    table = Table(
        "cohorts",
        "Patients by hospital and cohort",
        (*head("Hospital", "Cohort"), Cell("n", number=True), *events, Cell("Left out")),
        (Group("", tuple(_cohort(view, row) for row in rows)),),
        tuple(notes),
    )
    return (table,) if rows else ()


def _splits(view: View) -> tuple[Table, ...]:
    """What each hospital committed to before training."""
    rows = tuple((Cell(site), Cell(digest[:12])) for site, digest in sorted(view.results.timing.splits.items()))
    notes = (
        "Digest (first 12 characters; all of it in results.json) of the hospital's list of who is in which cohort, "
        "fixed before training, under a secret number of the hospital: with both it can show an auditor that the list "
        "stayed as it was.",
    )
    table = Table("splits", "The split of each hospital", head("Hospital", "Digest"), (Group("", rows),), notes)
    return (table,) if rows else ()


def _cohort(view: View, row: CohortRecord) -> tuple[Cell, ...]:
    reason = (row.reason,) if row.reason else ()
    under_n, under_events = (reason, ()) if row.n is None else ((), reason)
    excluded = (
        "; ".join(wording.unbroken(f"{rule}: {_excluded(number)}") for rule, number in row.excluded.items()) or "none"
    )
    names = (Cell(row.site), Cell(wording.COHORTS[row.name]))
    events = (Cell(wording.count(row.events), under_events, number=True),) if view.has_events else ()
    return (*names, Cell(wording.count(row.n), under_n, number=True), *events, Cell(excluded))


def _excluded(number: int | None) -> str:
    return "too few to report" if number is None else f"{number}"


def _baseline(view: View) -> tuple[Table, ...]:
    """Table 1: a column a hospital, a group a cohort; of the first fold, as patients are the same in all."""
    rows = [row for row in view.results.characteristics if row.fold == view.folds[0]] or list(
        view.results.characteristics
    )
    sites = [None, *unique(row.site for row in rows)]
    groups = tuple(
        Group(title, _lines([row for row in rows if row.cohort == cohort], sites))
        for cohort, title in wording.COHORTS.items()
    )
    table = Table(
        "baseline",
        "Baseline characteristics by cohort and hospital",
        head("Characteristic", *(site or OVERALL for site in sites)),
        tuple(group for group in groups if group.rows),
        (
            "Mean (standard deviation), median (quartiles) or patients (share of those known). SMD: standardized mean "
            f"difference from the {_compared(rows)} patients of all hospitals; of a category, of the whole variable. "
            f"{wording.DASH}: too few to report, or no such patient; no p-values, as the cohorts were not randomized.",
            *((UNTOLD,) if any(row.reason == UNKNOWN for row in rows) else ()),
            *undescribed(view),
        ),
    )
    return (table,) if rows else ()


def _compared(rows: Sequence[Characteristic]) -> str:
    """The cohort that others are compared with: the first that is described."""
    first = next((title for cohort, title in wording.COHORTS.items() if any(r.cohort == cohort for r in rows)), "")
    return first.lower()


def undescribed(view: View) -> tuple[str, ...]:
    """Why some cohorts have no column here."""
    if view.left_out:
        return ("Each hospital is described where it was left out; its patients in the other folds are among them.",)
    if view.parts:
        return ("Patients are described where they are held out; who trains in a fold is among them.",)
    if view.main.private:
        return ("Training patients are not described: under privacy nothing of them leaves that is not paid for.",)
    return ()


def _lines(rows: Sequence[Characteristic], sites: Sequence[str | None]) -> tuple[tuple[Cell, ...], ...]:
    found = {(row.variable, row.level, row.site): row for row in rows}
    names = list(dict.fromkeys((row.variable, row.level) for row in rows))
    units = {row.variable: row.unit for row in rows}
    return tuple(
        (
            Cell(_name(variable, level), (units[variable],) if units[variable] else ()),
            *_once([_characteristic(found.get((variable, level, site))) for site in sites]),
        )
        for variable, level in names
    )


def _once(cells: Sequence[Cell]) -> Sequence[Cell]:
    """Cells of a row; what is the same reason in all of them stands in the first."""
    same = cells[0].text == wording.DASH and all(cell == cells[0] for cell in cells)
    return [cells[0], *(Cell(wording.DASH) for _ in cells[1:])] if same else cells


def _name(variable: str, level: str | None) -> str:
    return variable if level is None else f"{variable}: {level}"


def _characteristic(row: Characteristic | None) -> Cell:
    if row is None:
        return Cell(wording.DASH)
    small = [f"SMD {wording.number(row.smd, 'smd')}"] if row.smd is not None else []
    small += [f"{row.missing} missing"] if row.missing else []
    if row.estimate is None:
        return Cell(wording.DASH, (row.reason or "", *small))
    return Cell(wording.unbroken(_value(row)), tuple(small))


def _value(row: Characteristic) -> str:
    assert row.estimate is not None
    if row.form == "count":
        share = "" if row.share is None else f" ({100 * row.share:.0f} %)"
        return f"{row.estimate:.0f}{share}"
    if row.form == "median":
        ends = "" if row.low is None or row.high is None else f" ({wording.plain(row.low)}–{wording.plain(row.high)})"
        return f"{wording.plain(row.estimate)}{ends}"
    return wording.plain(row.estimate) + ("" if row.spread is None else f" ({wording.plain(row.spread)})")
