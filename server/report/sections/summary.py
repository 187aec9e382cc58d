"""The report's first section: a structured summary, as the abstract of a paper."""

from server.report import wording
from server.report.fields import CohortName
from server.report.layout import Section
from server.report.participants import CohortRecord
from server.report.results import Meta
from server.report.sections.limits import main_limits
from server.report.side_by_side import COHORTS
from server.report.view import ORACLE, Column, Estimate, Place, View, mean, unique

SCHEMES = {
    "": "Site holdout",
    "column": "Split by a column",
    "k-fold": "Cross-validation",
    "pooled-split": "Pooled split",
    "temporal": "Temporal split",
}


def summary(view: View) -> Section:
    """Question, design, cohorts, main result, the arms in one line, heterogeneity, the price of privacy, limits."""
    terms = [
        ("Question", (question(view),)),
        ("Design", (design(view),)),
        ("Design inferred", view.results.study.inferred),
        ("Cohorts", cohort_lines(view)),
        ("Main result", main_lines(view, view.main)),
        ("Federated, pooled, alone", arms_lines(view)),
        ("Heterogeneity", heterogeneity(view)),
    ]
    if view.results.oracle:
        terms.insert(0, ("Patients", ("Invented, with known truth: nothing here is evidence about real patients.",)))
    other = Column("federated", not view.main.private)
    if other in view.columns:
        title = "Without privacy" if view.main.private else "Under privacy"
        terms.append((title, main_lines(view, other)))
    terms.append(("Limits", main_limits(view)))
    return Section("summary", "Summary", terms=tuple((term, lines) for term, lines in terms if lines))


def question(view: View) -> str:
    """What the study asks."""
    outcome = view.results.study.outcome.rstrip(".")
    told = f"Outcome: {outcome}." if outcome else ""
    return f"How well does {view.primary} do, trained over hospitals whose patients stay where they are? {told}".strip()


def arms_lines(view: View) -> tuple[str, ...]:
    """Federated against pooled against alone, in a line a cohort."""
    shown = [Column(arm, view.main.private) for arm in ("federated", "pooled", "alone")]
    shown = [column for column in shown if column in view.columns]
    lines = []
    for cohort in COHORTS if len(shown) > 1 else ():
        figures = []
        for column in shown:
            each = [view.figure(column, Place(view.primary, fold, cohort)) for fold in view.folds]
            figure = mean(each, apart=True) if view.left_out else each[0]
            if figure.value is not None:
                kind = " (mean of hospitals)" if column.arm == "alone" else ""
                figures.append(f"{column.arm}{kind} {wording.number(figure.value, view.measure)}")
        if len(figures) > 1:
            name = wording.metric_name(view.measure)
            lines.append(f"{wording.COHORTS[cohort]} {name}: {', '.join(figures)}{_against_pooled(view, cohort)}.")
    return tuple(lines)


def _against_pooled(view: View, cohort: CohortName) -> str:
    for row in view.results.comparisons:
        same = (row.kind, row.cohort, row.site, row.metric, row.model_a) == (
            "pooled", cohort, None, view.measure, view.primary,
        )  # fmt: skip
        if same and row.private_a == view.main.private and row.difference is not None and not view.left_out:
            ends = (
                "" if row.low is None or row.high is None else f" ({wording.interval(row.low, row.high, row.metric)})"
            )
            text = f"; federated minus pooled {wording.signed(row.difference, row.metric)}{ends}"
            if row.margin is None:
                return text
            shown = "not inferior" if row.non_inferior else "non-inferiority not shown"
            return f"{text}, {shown} at a margin of {wording.number(row.margin, row.metric)}"
    return ""


def heterogeneity(view: View) -> tuple[str, ...]:
    """How much hospitals differ: the summary with its prediction interval, or the span of the hospitals."""
    lines = []
    for cohort in COHORTS:
        for row in view.summaries(view.measure, cohort):
            if row.estimate is not None:
                lines.append(_summary_line(row))
    if lines:
        return tuple(lines)
    figures = [view.figure(view.main, Place(view.primary, *where)) for where in view.hospitals() if where[1] != "train"]
    values = [figure.value for figure in figures if figure.value is not None]
    if len(values) < 2:
        return ()
    ends = wording.interval(min(values), max(values), view.measure)
    name = wording.metric_name(view.measure)
    return (f"{name} from {ends} over {len(values)} hospitals; too few of one cohort to estimate their spread.",)


def _summary_line(row: Meta) -> str:
    assert row.estimate is not None
    name = wording.metric_name(row.metric)
    text = f"{wording.COHORTS[row.cohort]}: {name} {wording.with_interval(row.estimate, row.low, row.high, row.metric)}"
    text += f" over {row.k} hospitals (random effects)"
    if row.prediction_low is not None and row.prediction_high is not None:
        ends = wording.interval(row.prediction_low, row.prediction_high, row.metric)
        text += f"; another hospital: {ends}{f', {row.prediction_note}' if row.prediction_note else ''}"
    return f"{text}."


def design(view: View) -> str:
    """The scheme, the hospitals and the arms in a sentence."""
    rows = view.cohorts
    arms = f"Arms: {', '.join(column.text for column in view.columns if column.arm != ORACLE)}."
    study = view.results.study
    divided = f"{study.divided} " if study.divided else ""
    if view.left_out:
        return (
            f"Leave-one-site-out: {wording.places(view.folds)} in turn external to a model of the others. "
            f"{divided}{arms}"
        )
    trained = unique(row.site for row in rows if row.name == ("internal" if view.parts else "train"))
    outside = unique(row.site for row in rows if row.name == "external")
    text = f"{SCHEMES.get(study.scheme, SCHEMES[''])}: trained at {wording.places(trained)}"
    return f"{text}{'; external: ' + wording.places(outside) if outside else ''}. {divided}{arms}"


def cohort_lines(view: View) -> tuple[str, ...]:
    """Patients and events of each cohort; in leave-one-site-out of the external one only."""
    names: tuple[CohortName, ...] = ("external",) if view.left_out else ("train", "internal", "external")
    grouped = [(name, [row for row in view.cohorts if row.name == name]) for name in names]
    return tuple(_cohort_line(view, name, rows) for name, rows in grouped if rows)


def _cohort_line(view: View, name: CohortName, rows: list[CohortRecord]) -> str:
    told = [row for row in rows if row.n is not None]
    hidden = unique(row.site for row in rows if row.n is None)
    if not told:
        return f"{wording.COHORTS[name]}: too few to report at {wording.places(hidden)}."
    text = f"{wording.COHORTS[name]}: {wording.patients(sum(row.n or 0 for row in told))}, "
    events = [row.events for row in told]
    why = "; ".join(unique(row.reason for row in told if row.events is None))
    if view.has_events:
        text += f"events not told: {why}, " if why else f"{sum(count or 0 for count in events)} events, "
    text += f"at {wording.places(unique(row.site for row in told))}"
    return f"{text}. Too few to report: {wording.places(hidden)}." if hidden else f"{text}."


def main_lines(view: View, column: Column) -> tuple[str, ...]:
    """The primary model's AUC, internal and external."""
    present = [name for name in COHORTS if any(row.cohort == name for row in view.results.metrics)]
    lines = []
    for cohort in present:
        figures = [view.figure(column, Place(view.primary, fold, cohort)) for fold in view.folds]
        figure = mean(figures, apart=True) if view.left_out else figures[0]
        lines.append(f"{view.title(cohort)}: {_sentence(view, figure, len(figures))}.{_untold(view, column, cohort)}")
    return (f"{view.primary}, {column.text}.", *lines)


def _untold(view: View, column: Column, cohort: CohortName) -> str:
    """Hospitals whose patients a cohort's figure is not of, as their own could not be told."""
    if view.left_out:
        return ""
    fold = view.folds[0]
    figures = {s: view.figure(column, Place(view.primary, fold, cohort, s)) for s in view.sites(column, fold, cohort)}
    missing = [site for site, figure in figures.items() if figure.value is None]
    if not missing or len(missing) == len(figures):
        return ""
    return f" Without {wording.places(missing)}: {'; '.join(unique(figures[site].reason for site in missing))}."


def _sentence(view: View, figure: Estimate, hospitals: int) -> str:
    name = wording.metric_name(view.measure)
    if figure.value is None:
        return f"{name} {wording.DASH} ({figure.reason})"
    text = f"{name} {wording.number(figure.value, view.measure)}"
    known = figure.low is not None and figure.high is not None
    ends = wording.interval(figure.low or 0.0, figure.high or 0.0, view.measure) if known else None
    if figure.of:
        text = f"{text}, the mean over {figure.of} of {hospitals} left-out hospitals"
        return f"{text} (range {ends})" if ends else text
    size = wording.size(figure.n, figure.events)
    return f"{text} (95 % interval {ends}; {size})" if ends else f"{text} ({figure.reason or 'no interval'}; {size})"
