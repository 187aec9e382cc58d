"""What federation brings and costs: each hospital's gain by joining, federated against pooled, planned comparisons."""

from collections.abc import Sequence

from server.report import wording
from server.report.layout import Cell, Group, Section, Table, estimate_cell, head
from server.report.results import Comparison
from server.report.view import ALONE, Column, Estimate, Place, View


def joining(view: View) -> Section:
    """A line a hospital that trains: how it does alone, in the federation, and the difference on its own patients."""
    rows = [row for arm in view.alone for row in _gain(view, arm)]
    name = wording.metric_name(view.measure)
    table = Table(
        "joining",
        f"What a hospital gains by joining: {name} of {view.primary} on its own patients",
        (*head("Hospital", "Alone", "Federated", "Gain"), Cell(view.size_heading, number=True)),
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
        counts = Cell(view.counts(joined.n, joined.events), number=True)
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
    """The primary model minus another, on the same patients: a line a pair, difference first and p second."""
    shown = [row for row in view.results.comparisons if _shown(view, row)]
    others = tuple(dict.fromkeys(row.metric for row in shown if row.metric != view.measure))
    groups = []
    for title, same_arm in (("another model, same arm", True), ("the same model, trained otherwise", False)):
        for cohort, name in wording.COHORTS.items():
            pairs: dict[tuple[str, ...], dict[str, Comparison]] = {}
            for row in shown:
                if (row.kind == "models", row.cohort) == (same_arm, cohort):
                    pair = row.model_a, row.model_b, row.arm_b, str(row.private_b), row.fold
                    pairs.setdefault(pair, {})[row.metric] = row
            if pairs:
                rows = tuple(_comparison(view, pair, others) for pair in pairs.values())
                groups.append(Group(f"{name}, minus {title}", rows))
    tested = (f"{wording.metric_name(view.measure)} difference", "p", "p, Holm")
    added = [f"{wording.metric_name(metric)} difference" for metric in others]
    headings = (
        *head("Minus", tested[0]),
        *(Cell(text, number=True) for text in tested[1:]),
        *head(*added),
        Cell(view.size_heading, number=True),
    )
    caption = f"Comparisons on the same patients: {view.primary}, {view.main.text}, minus another"
    table = Table("comparisons", caption, headings, tuple(groups), tuple(_notes(view)))
    return Section("comparisons", "Comparisons", tables=(table,) if groups else ())


def _shown(view: View, row: Comparison) -> bool:
    """Of the main column, over the hospitals of a cohort; each hospital's own are in comparisons.csv."""
    return row.site is None and (row.arm_a, row.private_a) == (view.main.arm, view.main.private)


def _comparison(view: View, pair: dict[str, Comparison], others: Sequence[str]) -> tuple[Cell, ...]:
    """The other side, the main measure with its test, and the differences of other measures."""
    first = next(iter(pair.values()))
    tested = pair.get(view.measure)
    same = (first.arm_a, first.private_a) == (first.arm_b, first.private_b)
    small = [wording.model_name(first.model_b)] if first.model_b != view.primary and not same else []
    small += [f"of {wording.model_name(first.model_a)}"] if first.model_a != view.primary else []
    small += [first.fold] if first.fold != "main" else []
    name = wording.model_name(first.model_b) if same else _arm(first.arm_b, first.private_b)
    ps = [wording.DASH if p is None else wording.p_value(p) for p in (tested.p, tested.p_adjusted)] if tested else []
    return (
        Cell(name, tuple(small)),
        _with_margin(tested) if tested else Cell(wording.DASH),
        *(Cell(p, number=True) for p in ps or [wording.DASH] * 2),
        *(difference_cell(pair[metric]) if metric in pair else Cell(wording.DASH) for metric in others),
        Cell(view.counts(first.n, first.events), number=True),
    )


def _with_margin(row: Comparison) -> Cell:
    cell = difference_cell(row)
    if row.margin is None or row.difference is None:
        return cell
    met = "not inferior" if row.non_inferior else "not shown"
    return Cell(cell.text, (*cell.small, f"margin {wording.number(row.margin, row.metric)}: {met}"))


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
