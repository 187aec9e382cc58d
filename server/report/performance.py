"""The report's sections on how well the models do."""

import math
from collections.abc import Sequence
from dataclasses import replace

from server.report import wording
from server.report.fields import CohortName
from server.report.figures import roc_figures
from server.report.layout import Cell, Group, Section, Table, estimate_cell, head
from server.report.results import CrossSite, Meta
from server.report.side_by_side import Block, blocks, common_size, notes
from server.report.view import Column, Estimate, Place, View, unique

SIZE = Cell("n / events", number=True)
INTERVAL = "Small type under a figure: its 95 % interval. AUC: area under the ROC curve; 0.5 is chance, 1 is perfect."

RANGE = "range: the figure is the plain mean over hospitals, with their lowest and highest."


def side_by_side(view: View) -> Section:
    """Every model under every arm."""
    groups = tuple(_group(view, block) for block in blocks(view))
    table = Table(
        "side-by-side",
        "AUC of every model, by how it was trained",
        (Cell("Model"), *(_heading(column) for column in view.columns), SIZE),
        groups,
        (f"Primary model in bold. {INTERVAL}", RANGE, *notes(view)),
    )
    return Section("models", "Models side by side", tables=(table,))


def _heading(column: Column) -> Cell:
    mean = ("mean over hospitals",) if column.arm == "alone" else ()
    return Cell(column.arm, (*mean, column.protection))


def _group(view: View, block: Block) -> Group:
    rows = []
    for model, figures in block.rows:
        size = common_size(figures)
        cells = [estimate_cell(figure, "auc", sized=size is None) for figure in figures]
        strong = model == view.primary
        shown = wording.counts(*size) if size else "see cells"
        name = Cell(wording.model_name(model), strong=strong)
        bold = [Cell(cell.text, cell.small, strong) for cell in cells]
        rows.append((name, *bold, Cell(shown, number=True)))
    return Group(block.title, tuple(rows))


def curves(view: View) -> Section:
    """ROC panels; the place where calibration and decision curves belong beside them."""
    figures = roc_figures(view)
    if not figures:
        return Section("roc", "ROC curves", paragraphs=("No curve: too few patients to release a tally.",))
    text = (
        "Drawn from tallies of scores in bins, not from patients: a curve's corners are bins. Bold black: the primary "
        "model. AUCs in the legends are those of the table above."
    )
    return Section("roc", "ROC curves", paragraphs=(text,), figures=figures)


def by_hospital(view: View) -> Section:
    """The primary model at each hospital, and the random-effects summary; the place where forest plots belong."""
    arms = [column for column in view.columns if column.arm == "federated"]
    headings = [Cell("AUC", (column.text,)) for column in arms]
    rows = []
    for fold, cohort, site in _sites(view):
        place = Place(view.primary, fold, cohort, site)
        aucs = [view.figure(column, place) for column in arms]
        brier = view.figure(view.main, place, "brier")
        size = next(((figure.n, figure.events) for figure in aucs if figure.n is not None), (None, None))
        cells = [estimate_cell(figure, "auc") for figure in aucs]
        shown = Cell(wording.counts(*size), number=True)
        rows.append((Cell(site), Cell(wording.COHORTS[cohort]), *cells, estimate_cell(brier, "brier"), shown))
    table = Table(
        "by-hospital",
        f"The primary model, {view.primary}, at each hospital",
        (*head("Hospital", "Cohort"), *headings, Cell("Brier score", (view.main.text,)), SIZE),
        (Group("", tuple(rows)),),
        ("Computed inside the hospital from its own patients; only the figure left it.", INTERVAL),
    )
    return Section("hospitals", "By hospital", tables=(table, *_meta(view)))


def _sites(view: View) -> list[tuple[str, CohortName, str]]:
    if view.left_out:
        return [(fold, "external", fold) for fold in view.folds]
    fold = view.folds[0]
    return [(fold, cohort, site) for cohort in wording.COHORTS for site in view.sites(view.main, fold, cohort)]


def _meta(view: View) -> tuple[Table, ...]:
    rows = [_meta_row(row) for row in view.results.meta if row.model == view.primary]
    if not rows:
        return ()
    headings = head("Metric", "Arm", "Cohort", "Summary", "Another hospital", "τ²", "I²")
    caption = "Random-effects summary over hospitals, primary model"
    note = "Another hospital: 95 % prediction interval; unreliable under five hospitals."
    return (Table("meta", caption, (*headings, Cell("Hospitals", number=True)), (Group("", tuple(rows)),), (note,)),)


def _meta_row(row: Meta) -> tuple[Cell, ...]:
    summary = estimate_cell(Estimate(row.estimate, row.low, row.high, reason=row.reason), row.metric)
    ends = (row.prediction_low, row.prediction_high)
    wide = wording.DASH if ends[0] is None or ends[1] is None else wording.interval(ends[0], ends[1], row.metric)
    spread = [wording.DASH if value is None else wording.number(value, "tau2") for value in (row.tau2, row.i2)]
    arm = Cell(wording.arm_name(row.arm), (wording.PROTECTION[row.private],))
    texts = (Cell(wording.COHORTS[row.cohort]), summary, Cell(wide), *map(Cell, spread))
    return (Cell(wording.metric_name(row.metric)), arm, *texts, Cell(f"{row.k}", number=True))


def cross_site(view: View) -> Section:
    """The matrix of where the primary model was trained by where it was evaluated."""
    rows = [row for row in view.results.cross_site if row.metric == "auc"]
    sites = unique(row.site for row in rows)
    origins = list(dict.fromkeys((row.arm, row.private, row.trained_at) for row in rows))
    if not rows:
        return Section("cross-site", "Across hospitals", paragraphs=("Not computed in this run.",))
    found = {(row.arm, row.private, row.trained_at, row.site): row for row in rows}
    body = tuple(
        (
            Cell(origin[2] if origin[0] == "alone" else origin[0], (_origin(origin[0], origin[1], view.left_out),)),
            *(_cross_cell(found.get((*origin, site)), site) for site in sites),
        )
        for origin in origins
    )
    table = Table(
        "cross-site",
        "AUC of the primary model: trained at (rows), evaluated at (columns)",
        head("Trained at", *sites),
        (Group("", body),),
        ("n: patients of the column's hospital that the figure is of.", INTERVAL),
    )
    return Section("cross-site", "Across hospitals", tables=(table,))


def _origin(arm: str, private: bool, left_out: bool) -> str:
    where = "alone, " if arm == "alone" else "at all others, " if left_out else ""
    return where + wording.PROTECTION[private]


def _cross_cell(row: CrossSite | None, site: str) -> Cell:
    if row is None:
        return Cell(wording.DASH, (wording.NOT_RUN,))
    cell = estimate_cell(Estimate(row.estimate, row.low, row.high, reason=row.reason), row.metric)
    own = ("own hospital",) if row.trained_at == site else ()
    return Cell(cell.text, (*cell.small, *([] if row.n is None else [f"n {row.n}"]), *own))


def operating_point(view: View) -> Section:
    """Sensitivity and specificity at the threshold that was frozen before evaluation."""
    places = [(fold, cohort) for fold in view.folds for cohort in _evaluated(view, fold)]
    groups = tuple(
        Group(
            f"External: {fold} left out" if view.left_out else wording.COHORTS[cohort],
            tuple(_operating_row(view, Place(model, fold, cohort)) for model in view.models),
        )
        for fold, cohort in places
    )
    table = Table(
        "operating-point",
        f"At the frozen threshold: {view.main.text}",
        (*head("Model", "Threshold (risk)", "Sensitivity", "Specificity"), SIZE),
        groups,
        (
            "Chosen from tallies of training patients (Youden's index; under privacy from noised tallies, which can "
            "miss the best cut) or declared beforehand, then frozen; never moved for an evaluation.",
        ),
    )
    return Section("threshold", "Sensitivity and specificity", tables=(table,))


def _evaluated(view: View, fold: str) -> Sequence[CohortName]:
    wanted: tuple[CohortName, ...] = ("external",) if view.left_out else ("internal", "external")
    present = {row.cohort for row in view.results.metrics if row.fold == fold}
    return [cohort for cohort in wanted if cohort in present]


def _operating_row(view: View, place: Place) -> tuple[Cell, ...]:
    rates = [view.figure(view.main, place, metric) for metric in ("sensitivity", "specificity")]
    cells = [estimate_cell(rate, "sensitivity") for rate in rates]
    strong = place.model == view.primary
    size = next(((rate.n, rate.events) for rate in rates if rate.n is not None), (None, None))
    logit = threshold(view, view.main, place)
    risk = None if logit.value is None else 1 / (1 + math.exp(-logit.value))
    cut = estimate_cell(replace(logit, value=risk), "sensitivity")
    name = Cell(wording.model_name(place.model), strong=strong)
    return (name, cut, *cells, Cell(wording.counts(*size), number=True))


def threshold(view: View, column: Column, place: Place) -> Estimate:
    """A model's frozen cut, whichever cohort its row was filed under."""
    names: tuple[CohortName, ...] = (place.cohort, "train", "internal", "external")
    found = [view.figure(column, Place(place.model, place.fold, name), "threshold") for name in names]
    return next((figure for figure in found if figure.value is not None), found[0])
