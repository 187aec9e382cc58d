"""The report's first section, the structured summary, and its last, what the report does not show."""

from server.report import wording
from server.report.fields import CohortName
from server.report.layout import Section
from server.report.participants import CohortRecord
from server.report.side_by_side import COHORTS
from server.report.view import ORACLE, Column, Estimate, Place, View, mean, unique

FEW_HOSPITALS = 3


def summary(view: View) -> Section:
    """Design, cohorts, main result and the price of privacy, each in a sentence."""
    other = Column("federated", not view.main.private)
    terms = [("Design", (design(view),)), ("Cohorts", cohort_lines(view)), ("Main result", main_lines(view, view.main))]
    if outcome := view.results.study.outcome.rstrip("."):
        terms.insert(0, ("Outcome", (outcome[:1].upper() + outcome[1:] + ".",)))
    if view.results.oracle:
        terms.insert(0, ("Patients", ("Invented, with known truth: nothing here is evidence about real patients.",)))
    if other in view.columns:
        title = "Without privacy" if view.main.private else "Under privacy"
        terms.append((title, main_lines(view, other)))
    return Section("summary", "Summary", terms=tuple(terms))


def design(view: View) -> str:
    """The scheme, the hospitals and the arms in a sentence."""
    rows = view.results.cohorts
    arms = f"Arms: {', '.join(column.text for column in view.columns if column.arm != ORACLE)}."
    if view.left_out:
        return f"Leave-one-site-out: {wording.places(view.folds)} in turn external to a model of the others. {arms}"
    trained = unique(row.site for row in rows if row.name == "train")
    outside = unique(row.site for row in rows if row.name == "external")
    text = f"Site holdout: trained at {wording.places(trained)}"
    return f"{text}{'; external: ' + wording.places(outside) if outside else ''}. {arms}"


def cohort_lines(view: View) -> tuple[str, ...]:
    """Patients and events of each cohort; in leave-one-site-out of the external one only."""
    names: tuple[CohortName, ...] = ("external",) if view.left_out else ("train", "internal", "external")
    grouped = [(name, [row for row in view.results.cohorts if row.name == name]) for name in names]
    return tuple(_cohort_line(name, rows) for name, rows in grouped if rows)


def _cohort_line(name: CohortName, rows: list[CohortRecord]) -> str:
    told = [row for row in rows if row.n is not None]
    hidden = unique(row.site for row in rows if row.n is None)
    text = f"{wording.COHORTS[name]}: {wording.patients(sum(row.n or 0 for row in told))}, "
    events = [row.events for row in told]
    text += "events not released" if None in events else f"{sum(count or 0 for count in events)} events"
    text += f", at {wording.places(unique(row.site for row in told)) or 'no hospital'}"
    return f"{text}. Too few to report: {wording.places(hidden)}." if hidden else f"{text}."


def main_lines(view: View, column: Column) -> tuple[str, ...]:
    """The primary model's AUC, internal and external."""
    present = [name for name in COHORTS if any(row.cohort == name for row in view.results.metrics)]
    lines = []
    for cohort in present:
        figures = [view.figure(column, Place(view.primary, fold, cohort)) for fold in view.folds]
        figure = mean(figures, apart=True) if view.left_out else figures[0]
        lines.append(f"{wording.COHORTS[cohort]}: {_sentence(figure, len(figures))}.")
    return (f"{view.primary}, {column.text}.", *lines)


def _sentence(figure: Estimate, hospitals: int) -> str:
    if figure.value is None:
        return f"AUC {wording.DASH} ({figure.reason})"
    text = f"AUC {wording.number(figure.value, 'auc')}"
    ends = None if figure.low is None or figure.high is None else wording.interval(figure.low, figure.high, "auc")
    if figure.of:
        return f"{text}, the mean over {figure.of} of {hospitals} left-out hospitals (range {ends})"
    size = f"n {wording.count(figure.n)}, {wording.count(figure.events)} events"
    return f"{text} (95 % interval {ends}; {size})" if ends else f"{text} ({figure.reason or 'no interval'}; {size})"


def limits(view: View) -> Section:
    """What a reader may miss, or read too much into."""
    results = view.results
    hospitals = len(unique(row.site for row in results.cohorts))
    points = [
        "Calibration, clinical utility (decision curves), subgroups and missing modalities are not in this report.",
        "Intervals are for the patients who were evaluated. Another seed, another split or other noise gives another "
        "model; this is one run.",
        "No patient's score left a hospital: curves and pooled figures are made of bins, the figures by hospital are "
        "not; for hospitals of a hundred patients the area under a drawn curve can be several hundredths lower.",
        "Not for clinical use.",
    ]
    if results.oracle:
        points.insert(0, "The patients are invented by a generator: nothing here is evidence about real patients.")
    if hospitals < FEW_HOSPITALS or not results.meta:
        points.append(
            f"How much hospitals differ is not estimated: that takes three or more, and this run has {hospitals}."
            if hospitals < FEW_HOSPITALS
            else "No random-effects summary over hospitals was computed."
        )
    if view.main.private and any(not column.private for column in view.columns if column.arm != ORACLE):
        points.append('Arms marked "no privacy" are there to show its price; their models are not fit to be released.')
    if not results.comparisons:
        points.append("No difference between models or arms was tested; overlapping intervals are no test.")
    return Section("limits", "What this report does not show", points=tuple(points))
