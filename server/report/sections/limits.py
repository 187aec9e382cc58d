"""Sample size against what was needed, and what a reader may miss or read too much into."""

from server.report import wording
from server.report.figures.roc import curves_of
from server.report.layout import Cell, Group, Section, Table, head
from server.report.results import SampleSize
from server.report.view import ORACLE, View, unique

FEW_HOSPITALS = 3
CRITERIA = {"c": "AUC", "oe": "O:E ratio", "slope": "calibration slope"}


def limits(view: View) -> Section:
    """The table of sample sizes, then sentences."""
    return Section("limits", "Sample size and limits", tables=_sizes(view), points=limit_points(view))


def main_limits(view: View) -> tuple[str, ...]:
    """What the summary says of it: what is too small for what, and how few hospitals there are."""
    return (*underpowered(view), *_heterogeneity(view))


def limit_points(view: View) -> tuple[str, ...]:
    """Every limit in a sentence."""
    results = view.results
    points = [
        *underpowered(view),
        *_heterogeneity(view),
        "Intervals are for the patients who were evaluated. Another seed, another split or other noise gives another "
        "model; this is one run.",
        "No patient's score left a hospital: curves and pooled figures are made of bins, the figures by hospital are "
        "not; for hospitals of a hundred patients the area under a drawn curve can be several hundredths lower.",
    ]
    if results.oracle:
        points.insert(0, "The patients are invented by a generator: nothing here is evidence about real patients.")
    if view.main.private and any(not column.private for column in view.columns if column.arm != ORACLE):
        points.append('Arms marked "no privacy" are there to show its price; their models are not fit to be released.')
    if results.privacy.validation:
        points.append(
            "Validation figures are made of noised tallies of 14 cells: their intervals cover the noise too. What "
            "needs exact figures (tests between models, calibration and decision curves, Table 1, survival) is missing."
        )
    if not results.comparisons:
        points.append("No difference between models or arms was tested; overlapping intervals are no test.")
    if missing := absent(view):
        points.append(f"Not in this report, as this run has no figures for it: {', '.join(missing)}.")
    return (*points, "Not for clinical use.")


def absent(view: View) -> list[str]:
    """What a report of a multicenter study has, and this run has no figures for."""
    results = view.results
    drawn = view.measure != "auc" or any(curves_of(view, panel) for panel in view.panels())
    wanted = {
        "baseline characteristics (Table 1)": results.characteristics,
        "ROC curves (too few bins of scores)": drawn,
        "calibration curves": results.calibration,
        "decision curves": results.decisions,
        "survival by risk group": results.survival,
        "missing modalities": (*results.patterns, *results.pattern_figures),
        "readers": results.readers,
        "sample size": results.sample_size,
    }
    return [name for name, rows in wanted.items() if not rows]


def underpowered(view: View) -> tuple[str, ...]:
    """A sentence a cohort that is smaller than its criteria ask."""
    lines = []
    for panel in view.panels():
        short = [
            row
            for row in view.results.sample_size
            if (row.model, row.fold, row.cohort) == (view.primary, panel.fold, panel.cohort) and _short(row)
        ]
        if short:
            needs = ", ".join(f"{CRITERIA[row.criterion]} {row.required}" for row in short)
            lines.append(
                f"{panel.title}: {short[0].achieved_n} {view.counted}; a precise figure would need more: {needs}."
            )
    return tuple(lines)


def _short(row: SampleSize) -> bool:
    return row.required is not None and row.achieved_n is not None and row.achieved_n < row.required


def _heterogeneity(view: View) -> tuple[str, ...]:
    hospitals = len(unique(row.site for row in view.results.cohorts))
    if hospitals < FEW_HOSPITALS:
        few = f"How much hospitals differ is not estimated: that takes three or more, and this run has {hospitals}."
        return (few,)
    if not any(row.estimate is not None for row in view.results.meta):
        return ("No random-effects summary over hospitals: no cohort has three hospitals with a figure of their own.",)
    return ()


def _sizes(view: View) -> tuple[Table, ...]:
    rows = tuple(_size(row, view) for row in view.results.sample_size if row.model == view.primary)
    counted = view.counted.capitalize()
    headings = (
        *head("Cohort", "Criterion", "Target"),
        *(Cell(text, number=True) for text in (f"{counted} needed", counted, "Width reached")),
    )
    several = " Rows of one patient are taken as independent: it needs more." if view.results.study.row else ""
    text = "Closed forms of Riley and others for external validation, at this cohort's prevalence and figures."
    notes = (f"{text}{several}",)
    table = Table("sample-size", f"Sample size for {view.primary}", headings, (Group("", rows),), notes)
    return (table,) if rows else ()


def _size(row: SampleSize, view: View) -> tuple[Cell, ...]:
    reason = (row.reason,) if row.reason else ()
    width = wording.DASH if row.achieved_width is None else f"{row.achieved_width:.2f}"
    return (
        Cell(wording.COHORTS[row.cohort], (f"{row.fold} left out",) if view.left_out else ()),
        Cell(CRITERIA[row.criterion]),
        Cell(row.target),
        Cell(wording.count(row.required), reason, number=True),
        Cell(wording.count(row.achieved_n), number=True),
        Cell(width, number=True),
    )
