"""How well every model does: under every arm, and by every measure."""

import math
from collections.abc import Sequence
from dataclasses import replace

from server.report import wording
from server.report.fields import CohortName
from server.report.layout import Cell, Footnotes, Group, Section, Table, estimate_cell, head
from server.report.side_by_side import Block, blocks, common_size, notes
from server.report.view import ORACLE, SIZE, Column, Estimate, Panel, Place, View, unique

INTERVAL = "Small type under a figure: its 95 % interval."
RANGE = "range: the figure is the plain mean over hospitals, with their lowest and highest."
CROSSED = (
    "Every patient is held out once and judged by the model of the others. All folds: within folds and hospitals, "
    "weighted by pairs of patients; its interval takes the folds' models as given, so what another training set "
    "would change is not in it, and no unbiased estimate of that exists."
)
DISCRIMINATION = (
    "auc", "auc_macro", "c_index", "average_precision", "accuracy", "sensitivity", "specificity", "ppv", "npv", "f1",
    "quadratic_kappa",
)  # fmt: skip
CALIBRATION = (
    "brier", "brier_scaled", "log_loss", "calibration_slope", "calibration_intercept", "citl", "oe_ratio", "ici",
    "mae", "rmse", "r2",
)  # fmt: skip

BY_QUESTION = ("auc", "average_precision", "brier", "r2", "rmse", "mae", "calibration_slope")
WITHIN = ("average_precision", "calibration_intercept", "ici")  # measures of single hospitals


def models(view: View) -> Section:
    """Every model under every arm, then under the main arm by every measure."""
    measures = (*_measures(view, "discrimination", DISCRIMINATION), *_measures(view, "overall", CALIBRATION))
    tables = (*side_by_side(view), *_by_fold(view), *_by_question(view), *measures)
    return Section("models", "Performance of every model", tables=tables)


def side_by_side(view: View) -> tuple[Table, ...]:
    """The main measure of every model under every arm."""
    groups = tuple(_group(view, block) for block in blocks(view))
    name = wording.metric_name(view.measure)
    explained = " AUC: area under the ROC curve; 0.5 is chance, 1 is perfect." if view.measure == "auc" else ""
    table = Table(
        "side-by-side",
        f"{name} of every model, by how it was trained",
        (Cell("Model"), *(_heading(column) for column in view.columns), Cell(view.size_heading, number=True)),
        groups,
        (f"Primary model in bold. {INTERVAL}{explained}", RANGE, *notes(view)),
    )
    return (table,) if groups else ()


def _by_fold(view: View) -> tuple[Table, ...]:
    """Of a cross-validation the primary model's main measure in each fold, and over them."""
    columns = [column for column in view.columns if column.arm != ORACLE]
    lines = [*((part.replace("-", " "), part) for part in view.parts), ("All folds", view.folds[0])]
    rows = []
    for name, fold in lines:
        figures = [view.figure(column, Place(view.primary, fold, "internal")) for column in columns]
        size = common_size(figures) or (None, None)
        cells = [estimate_cell(figure, view.measure) for figure in figures]
        strong = fold == view.folds[0]
        bold = [Cell(cell.text, cell.small, strong) for cell in cells]
        rows.append((Cell(name.capitalize(), strong=strong), *bold, Cell(view.counts(*size), number=True)))
    table = Table(
        "folds",
        f"{wording.metric_name(view.measure)} of {view.primary} by fold, on the patients held out in it",
        (Cell("Fold"), *map(_heading, columns), Cell(view.size_heading, number=True)),
        (Group("", tuple(rows)),),
        (CROSSED,),
    )
    return (table,) if view.parts else ()


def _by_question(view: View) -> tuple[Table, ...]:
    """Of an outcome that is several questions (classes, labels, horizons) the primary model's answer to each."""
    asked = unique(row.metric.partition(".")[2] or None for row in view.results.metrics)
    told = [(panel, asked, measure) for panel in view.panels() for measure in BY_QUESTION]
    known = [(panel, measure) for panel, names, measure in told if any(_answer(view, panel, q, measure) for q in names)]
    shown = [measure for measure in BY_QUESTION if measure in {measure for _, measure in known}]
    groups = []
    for panel in dict.fromkeys(panel for panel, _ in known):
        rows = []
        for name in asked:
            figures = [view.main_figure(panel, f"{measure}.{name}") for measure in shown]
            size = next(((own.n, own.events) for own in figures if own.n is not None), (None, None))
            cells = [estimate_cell(own, measure) for own, measure in zip(figures, shown, strict=True)]
            rows.append((Cell(name), *cells, Cell(view.counts(*size), number=True)))
        groups.append(Group(panel.title, tuple(rows)))
    counted = any(view.main_figure(panel, f"{m}.{name}").events for panel, m in known for name in asked)
    table = Table(
        "questions",
        f"{view.primary} by what is predicted: {view.main.text}",
        (
            Cell("Predicted"),
            *head(*map(wording.metric_name, shown)),
            Cell(SIZE if counted else view.size_heading, number=True),
        ),
        tuple(groups),
        ("A class or label against all others, a horizon by itself; errors in the outcome's unit. All: metrics.csv.",),
    )
    return (table,) if groups else ()


def _answer(view: View, panel: Panel, question: str, measure: str) -> bool:
    return view.main_figure(panel, f"{measure}.{question}").value is not None


def _heading(column: Column) -> Cell:
    mean = ("mean over hospitals",) if column.arm == "alone" else ()
    return Cell(column.arm, (*mean, column.protection))


def _group(view: View, block: Block) -> Group:
    rows = []
    for model, figures in block.rows:
        size = common_size(figures)
        cells = [estimate_cell(figure, view.measure, sized=size is None) for figure in figures]
        strong = model == view.primary
        known = any(figure.n is not None for figure in figures)
        shown = view.counts(*size) if size else "see cells" if known else wording.DASH
        name = Cell(wording.model_name(model), strong=strong)
        bold = [Cell(cell.text, cell.small, strong) for cell in cells]
        rows.append((name, *bold, Cell(shown, number=True)))
    return Group(block.title, tuple(rows))


def _measures(view: View, key: str, metrics: Sequence[str]) -> tuple[Table, ...]:
    """Models of the main arm by measures, cohort by cohort; measures that nobody has are left out."""
    panels = [panel for panel in view.panels() if any(_has(view, panel, metric) for metric in metrics)]
    shown = [metric for metric in metrics if any(_has(view, panel, metric) for panel in panels)]
    if view.measure != "c_index":  # then it is of a second endpoint, and stands with its curves
        shown = [metric for metric in shown if metric != "c_index"]
    if not shown or set(shown) <= {view.measure}:
        return ()
    cut = key == "discrimination" and any(row.metric == "threshold" for row in view.results.metrics)
    titles = {"discrimination": "Discrimination and classification", "overall": "Calibration and overall error"}
    headings = [Cell("Threshold (risk)")] if cut else []
    foot = Footnotes()
    groups = tuple(
        Group(panel.title, tuple(_row(view, panel, model, (shown, cut, foot)) for model in view.models))
        for panel in panels
    )
    table = Table(
        key,
        f"{titles[key]}: {view.main.text}",
        (Cell("Model"), *headings, *head(*map(wording.metric_name, shown)), Cell(view.size_heading, number=True)),
        groups,
        (*foot.notes, *_measure_notes(shown, cut)),
    )  # fmt: skip
    return (table,)


def _has(view: View, panel: Panel, metric: str) -> bool:
    return any(view.main_figure(panel, metric, model).value is not None for model in view.models)


def _row(view: View, panel: Panel, model: str, shown: tuple[Sequence[str], bool, Footnotes]) -> tuple[Cell, ...]:
    metrics, cut, foot = shown
    figures = [view.main_figure(panel, metric, model) for metric in metrics]
    cells = [foot.cell(figure, metric) for figure, metric in zip(figures, metrics, strict=True)]
    if cut:
        cells = [foot.cell(risk_threshold(view, panel, model), "sensitivity"), *cells]
    size = next(((figure.n, figure.events) for figure in figures if figure.n is not None), (None, None))
    name = Cell(wording.model_name(model), strong=model == view.primary)
    return (name, *cells, Cell(view.counts(*size), number=True))


def _measure_notes(shown: Sequence[str], cut: bool) -> list[str]:
    lines = [INTERVAL] if "auc" in shown else []
    if within := [wording.metric_name(metric) for metric in shown if metric in WITHIN]:
        lines.append(f"{', '.join(within)}: within one hospital only, as counts over several would bias it.")
    if cut:
        lines.append(
            "Threshold: chosen from tallies of training patients (Youden's index; under privacy from noised tallies, "
            "which can miss the best cut) or declared beforehand, then frozen; never moved for an evaluation."
        )
    if {"ppv", "npv"} & set(shown):
        lines.append("PPV, NPV: predictive values at the cohort's own prevalence (events of n); they move with it.")
    if "calibration_slope" in shown:
        lines.append("Calibration slope: 1 is perfect, less means predictions too extreme.")
    if "oe_ratio" in shown:
        lines.append("O:E ratio: observed by expected events, 1 is perfect.")
    return lines


def risk_threshold(view: View, panel: Panel, model: str) -> Estimate:
    """A model's frozen cut as a risk, whichever cohort its row was filed under."""
    names: tuple[CohortName, ...] = (panel.cohort, "train", "internal", "external")
    found = [view.figure(view.main, Place(model, panel.fold, name), "threshold") for name in names]
    logit = next((figure for figure in found if figure.value is not None), found[0])
    return replace(logit, value=None if logit.value is None else 1 / (1 + math.exp(-logit.value)))
