"""How the primary model does from hospital to hospital: each one's figures, their summary, the cross-site matrix."""

from server.report import wording
from server.report.figures.forest import forest_figures
from server.report.figures.matrix import matrix_figure
from server.report.layout import Cell, Footnotes, Group, Section, Table, estimate_cell, head
from server.report.results import Meta
from server.report.sections.models import INTERVAL
from server.report.view import Estimate, Place, View

BESIDE = ("brier", "calibration_slope", "oe_ratio", "sensitivity", "specificity")
UNPROTECTED = "Events of training patients: from the arm without privacy; under privacy they do not leave."


def hospitals(view: View) -> Section:
    """Forest plots, a table by hospital, the random-effects summary, the matrix."""
    figures = (*forest_figures(view), *matrix_figure(view))
    return Section("hospitals", "Heterogeneity between hospitals", figures=figures, tables=(*_by(view), *_meta(view)))


def _by(view: View) -> tuple[Table, ...]:
    arms = [column for column in view.columns if column.arm == "federated"]
    measure = wording.metric_name(view.measure)
    places = [Place(view.primary, fold, cohort, site) for fold, cohort, site in view.hospitals()]
    beside = [
        metric for metric in BESIDE if any(view.figure(view.main, place, metric).value is not None for place in places)
    ]
    rows, foot, unprotected = [], Footnotes(), False
    for place in places:
        mains = [view.figure(column, place) for column in arms]
        others = [foot.cell(view.figure(view.main, place, metric), metric) for metric in beside]
        size = next(((figure.n, figure.events) for figure in mains if figure.n is not None), (None, None))
        cells = [foot.cell(figure, view.measure) for figure in mains]
        names = (Cell(place.site or ""), Cell(wording.COHORTS[place.cohort]))
        rows.append((*names, *cells, *others, Cell(view.counts(*size), number=True)))
        unprotected |= view.main.private and place.cohort == "train" and size[1] is not None
    headings = [Cell(measure, (column.text,)) for column in arms]
    headings += [Cell(wording.metric_name(metric)) for metric in beside]
    told = f" Columns without an arm: {view.main.text}." if beside else ""
    table = Table(
        "by-hospital",
        f"The primary model, {view.primary}, at each hospital",
        (*head("Hospital", "Cohort"), *headings, Cell(view.size_heading, number=True)),
        (Group("", tuple(rows)),),
        (
            *foot.notes,
            *((UNPROTECTED,) if unprotected else ()),
            f"Computed inside the hospital from its own patients; only the figure left it. {INTERVAL}{told}",
        ),
    )
    return (table,) if rows else ()


def _meta(view: View) -> tuple[Table, ...]:
    found = [r for r in view.results.meta if r.model == view.primary and r.arm == view.main.arm]
    rows = [_meta_row(row) for row in found if row.estimate is not None]
    if not rows:
        return ()
    headings = head("Metric", "Arm", "Cohort", "Summary", "Another hospital", "τ²", "I²")
    caption = "Random-effects summary over hospitals, primary model"
    methods = "; ".join(dict.fromkeys(row.method for row in found if row.method))
    note = "Another hospital: 95 % prediction interval; unreliable under five hospitals."
    notes = (f"{note} {methods[:1].upper()}{methods[1:]}." if methods else note,)
    return (Table("meta", caption, (*headings, Cell("Hospitals", number=True)), (Group("", tuple(rows)),), notes),)


def _meta_row(row: Meta) -> tuple[Cell, ...]:
    summary = estimate_cell(Estimate(row.estimate, row.low, row.high, reason=row.reason), row.metric)
    ends = (row.prediction_low, row.prediction_high)
    wide = wording.DASH if ends[0] is None or ends[1] is None else wording.interval(ends[0], ends[1], row.metric)
    tau2 = wording.DASH if row.tau2 is None else wording.number(row.tau2, "tau2")
    within = () if row.tau2_low is None or row.tau2_high is None else (f"{row.tau2_low:.3f}–{row.tau2_high:.3f}",)
    i2 = wording.DASH if row.i2 is None else f"{100 * row.i2:.0f} %"
    arm = Cell(wording.arm_name(row.arm), (wording.PROTECTION[row.private],))
    note = (row.prediction_note,) if row.prediction_note else ()
    texts = (Cell(wording.COHORTS[row.cohort]), summary, Cell(wide, note), Cell(tau2, within), Cell(i2))
    return (Cell(wording.metric_name(row.metric)), arm, *texts, Cell(f"{row.k}", number=True))
