"""What federation brings and costs: each hospital's gain by joining, federated against pooled, planned comparisons."""

from collections.abc import Sequence

from server.report import wording
from server.report.layout import Cell, Group, Section, Table, estimate_cell, head
from server.report.results import Comparison
from server.report.sections.models import SIZE
from server.report.view import ALONE, Column, Estimate, Place, View


def joining(view: View) -> Section:
    """A line a hospital that trains: how it does alone, in the federation, and the difference on its own patients."""
    rows = [row for arm in view.alone for row in _gain(view, arm)]
    name = wording.metric_name(view.measure)
    table = Table(
        "joining",
        f"What a hospital gains by joining: {name} of {view.primary} on its own patients",
        (*head("Hospital", "Alone", "Federated", "Gain"), SIZE),
        (Group("", tuple(rows)),),
        (
            f"Both trained {wording.PROTECTION[view.main.private]}, both evaluated on internal patients of that "
            "hospital (in leave-one-site-out: with another hospital left out). Gain: federated less alone; with its 95 "
            "% interval where the paired test was run.",
        ),
    )
    return Section("joining", "What does my hospital gain by joining?", tables=(table,) if rows else ())


def _gain(view: View, arm: str) -> list[tuple[Cell, ...]]:
    """A row for the first fold in which a hospital trained alone and has internal patients."""
    site = arm.removeprefix(ALONE)
    for fold in view.folds:
        place = Place(view.primary, fold, "internal", site)
        alone = view.figure(Column(arm, view.main.private), place)
        joined = view.figure(view.main, place)
        if alone.reason == joined.reason == wording.NOT_RUN:
            continue
        tested = [
            row
            for row in view.results.comparisons
            if (row.kind, row.arm_b, row.site, row.fold, row.cohort) == ("alone", arm, site, fold, "internal")
            and (row.metric, row.model_a, row.private_a) == (view.measure, view.primary, view.main.private)
        ]
        cells = (estimate_cell(alone, view.measure), estimate_cell(joined, view.measure))
        counts = Cell(wording.counts(joined.n, joined.events), number=True)
        return [(Cell(site), *cells, _difference(view, tested, (alone, joined)), counts)]
    return []


def _difference(view: View, tested: Sequence[Comparison], pair: tuple[Estimate, Estimate]) -> Cell:
    if tested:
        return difference_cell(tested[0])
    alone, joined = pair
    if alone.value is None or joined.value is None:
        return Cell(wording.DASH)
    return Cell(wording.signed(joined.value - alone.value, view.measure), ("not tested",))


def difference_cell(row: Comparison) -> Cell:
    """A difference with its sign, over its interval."""
    cell = estimate_cell(Estimate(row.difference, row.low, row.high, reason=row.reason), row.metric)
    return cell if row.difference is None else Cell(wording.signed(row.difference, row.metric), cell.small)


def comparisons(view: View) -> Section:
    """Comparisons on the same patients, difference first and p second, by what is compared."""
    titles = {
        "models": "Other models, same arm (the primary model minus the other)",
        "pooled": "Federated minus pooled",
        "privacy": "Under privacy minus without",
        "alone": "Federated minus a hospital alone",
    }
    groups = []
    for kind, title in titles.items():
        found = [row for row in view.results.comparisons if row.kind == kind and _shown(view, row)]
        if found:
            groups.append(Group(title, tuple(_comparison(row) for row in found)))
    headings = (*head("Cohort", "A", "minus B", "Metric", "Difference", "p", "p, Holm"), SIZE)
    table = Table("comparisons", "Comparisons on the same patients", headings, tuple(groups), tuple(_notes(view)))
    return Section("comparisons", "Comparisons", tables=(table,) if groups else ())


def _shown(view: View, row: Comparison) -> bool:
    """Of the main column, over the hospitals of a cohort; each hospital's own are in comparisons.csv."""
    return row.site is None and (row.arm_a, row.private_a) == (view.main.arm, view.main.private)


def _comparison(row: Comparison) -> tuple[Cell, ...]:
    ps = [wording.DASH if p is None else wording.p_value(p) for p in (row.p, row.p_adjusted)]
    where = tuple(
        part for part in (row.fold if row.fold != "main" else "", f"at {row.site}" if row.site else "") if part
    )
    cell = difference_cell(row)
    if row.margin is not None and row.difference is not None:
        met = "not inferior" if row.non_inferior else "not shown"
        cell = Cell(cell.text, (*cell.small, f"margin {wording.number(row.margin, row.metric)}: {met}"))
    arms = (_arm(row.arm_a, row.private_a), _arm(row.arm_b, row.private_b))
    same = arms[0] == arms[1]
    sides = (
        Cell(wording.model_name(row.model_a), () if same else (arms[0],)),
        Cell(wording.model_name(row.model_b), () if same else (arms[1],)),
    )
    size = Cell(wording.counts(row.n, row.events), number=True)
    names = (Cell(wording.COHORTS[row.cohort], where), *sides, Cell(wording.metric_name(row.metric)))
    return (*names, cell, *map(Cell, ps), size)


def _arm(arm: str, private: bool) -> str:
    return f"{wording.arm_name(arm)}, {wording.PROTECTION[private]}"


def _notes(view: View) -> list[str]:
    rows = view.results.comparisons
    methods = "; ".join(dict.fromkeys(row.method for row in rows if row.method))
    lines = ["Over all hospitals of a cohort; each hospital's own are in comparisons.csv."]
    lines += [f"{methods[:1].upper()}{methods[1:]}."] if methods else []
    if any(row.p_adjusted is not None for row in rows):
        lines.append("p, Holm: adjusted for the number of models compared.")
    if any(row.margin is not None for row in rows):
        lines.append("Not inferior: the lower end of the interval lies above minus the margin that the study declared.")
    return lines
