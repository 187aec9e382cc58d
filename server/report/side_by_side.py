"""The report's main table: each model under every arm, side by side, per cohort or left-out hospital."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.report.fields import CohortName
from server.report.view import ORACLE, Column, Estimate, Place, View, mean

COHORTS: tuple[CohortName, ...] = ("internal", "external")


@dataclass(frozen=True)
class Block:
    """A cohort: for each model, one figure a column of the view."""

    title: str
    rows: tuple[tuple[str, tuple[Estimate, ...]], ...]


def blocks(view: View, metric: str = "") -> list[Block]:
    """Internal and external; in leave-one-site-out each left-out hospital, then the means over hospitals."""
    cohorts = [name for name in COHORTS if any(row.cohort == name for row in view.results.metrics)]
    if not view.left_out:
        fold = view.folds[0]
        return [Block(view.title(name), _rows(view, metric, name, [fold])) for name in cohorts]
    each = [
        Block(f"External, {fold} left out", _rows(view, metric, "external", [fold]))
        for fold in view.folds
        if "external" in cohorts
    ]
    title = "mean of left-out hospitals"
    return each + [Block(f"{name.capitalize()}, {title}", _rows(view, metric, name, view.folds)) for name in cohorts]


def common_size(figures: Sequence[Estimate]) -> tuple[int | None, int | None] | None:
    """Patients and events where all trained figures of a row share them, else None."""
    sizes = {(figure.n, figure.events) for figure in figures if figure.n is not None}
    return sizes.pop() if len(sizes) == 1 else None


def _rows(
    view: View, metric: str, cohort: CohortName, folds: Sequence[str]
) -> tuple[tuple[str, tuple[Estimate, ...]], ...]:
    def cell(column: Column, model: str) -> Estimate:
        figures = [view.figure(column, Place(model, fold, cohort), metric) for fold in folds]
        return figures[0] if len(folds) == 1 else mean(figures, apart=True)

    rows = [(model, tuple(cell(column, model) for column in view.columns)) for model in view.models]
    return tuple((model, figures) for model, figures in rows)


def notes(view: View) -> tuple[str, ...]:
    """One sentence for each kind of column that the table has."""
    shown = {column.arm for column in view.columns}
    lines = [text for arm, text in COLUMN_NOTES.items() if arm in shown]
    if fixed := view.results.study.fixed:
        lines.append(f"{', '.join(fixed)}: a published formula that nobody trains, the same in every arm.")
    if row := view.results.study.row:
        lines.append(f"n counts rows, each a {row.replace('_', ' ')}, of which a patient can have several.")
    if not view.main.private:
        lines.append("No arm of this study was trained under differential privacy.")
    return tuple(lines)


COLUMN_NOTES = {
    ORACLE: "oracle: what the truth that invented the patients reaches on average, the most that a model can be "
    "expected to reach; on a cohort of this size a figure can lie above it by chance.",
    "pooled": "pooled: trained as if all patients lay in one place; a simulation can, hospitals cannot.",
    "federated": "federated: trained over the hospitals, patients staying where they are.",
    "alone": "alone: one model a training hospital, here their mean; each is in the cross-site table.",
}
