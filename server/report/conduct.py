"""The report's sections on how the study was conducted: who took part, what privacy was spent, what ran where."""

from server.report import wording
from server.report.books import Composed, Spent
from server.report.layout import Cell, Group, Section, Table, head
from server.report.participants import CohortRecord
from server.report.view import View, unique


def cohorts(view: View) -> Section:
    """Patients by hospital and cohort, with exclusions by rule; the place where a flow diagram belongs."""
    folds = unique(row.fold for row in view.results.cohorts)
    groups = tuple(
        Group(
            f"Fold: {fold} left out" if len(folds) > 1 else "",
            tuple(_cohort(row) for row in view.results.cohorts if row.fold == fold),
        )
        for fold in folds
    )
    table = Table(
        "cohorts",
        "Patients by hospital and cohort",
        (*head("Hospital", "Cohort"), Cell("n", number=True), Cell("Events", number=True), Cell("Excluded")),
        groups,
        ("Excluded: rows of the table left out by rule, before there were cohorts; told once a hospital.",),
    )
    return Section("cohorts", "Cohorts", tables=(table,))


def _cohort(row: CohortRecord) -> tuple[Cell, ...]:
    reason = (row.reason,) if row.reason else ()
    under_n, under_events = (reason, ()) if row.n is None else ((), reason)
    excluded = "; ".join(f"{rule}: {_excluded(number)}" for rule, number in row.excluded.items()) or "none"
    names = (Cell(row.site), Cell(wording.COHORTS[row.name]))
    numbers = (
        Cell(wording.count(row.n), under_n, number=True),
        Cell(wording.count(row.events), under_events, number=True),
    )
    return (*names, *numbers, Cell(excluded))


def _excluded(number: int | None) -> str:
    return "too few to report" if number is None else f"{number}"


def privacy(view: View) -> Section:
    """What each run spent at each hospital, and all of them together."""
    record = view.results.privacy
    if record.mechanism == "none":
        text = 'mechanism = "none": what the hospitals sent can tell about single patients, and nothing bounds it.'
        return Section("privacy", "Privacy", paragraphs=(text,))
    spent = Table(
        "privacy",
        "Privacy spent, by run (one fold of one arm)",
        (*head("Hospital", "Arm", "Fold", "ε spent / budget", "δ"), Cell("Releases", number=True)),
        (Group("", tuple(_spent(row) for row in record.sites)),),
        (
            "ε bounds how much all that training released can tell about one patient (all of his rows together): the "
            "smaller, the less; δ is the probability with which the bound may fail. A release is one noised sum. Each "
            "hospital adds its own noise; in the arm pooled the pool adds it.",
        ),
    )
    composed = Table(
        "composed",
        "Composed: all runs together, as if each had been released",
        (*head("Hospital", "ε", "δ"), Cell("Runs", number=True)),
        (Group("", tuple(_composed(row) for row in record.composed)),),
        (
            "In a simulation, arms and folds are separate what-ifs; a real study spends only what it releases. ε grows "
            "by less than its sum, as the noises are independent. Arms without privacy have no bound and are left out.",
        ),
    )
    return Section("privacy", "Privacy", tables=(spent, composed) if record.composed else (spent,))


def _spent(row: Spent) -> tuple[Cell, ...]:
    names = (Cell(row.site), Cell(wording.arm_name(row.arm)), Cell(row.fold))
    if row.epsilon is None or row.delta is None:
        return (*names, Cell(wording.DASH, ("no privacy",)), Cell(wording.DASH), Cell(f"{row.releases}", number=True))
    budget = wording.DASH if row.budget is None else f"{row.budget:.2f}"
    spent = (Cell(f"{row.epsilon:.2f} / {budget}"), Cell(wording.power(row.delta)))
    return (*names, *spent, Cell(f"{row.releases}", number=True))


def _composed(row: Composed) -> tuple[Cell, ...]:
    figures = (Cell(f"{row.epsilon:.2f}"), Cell(wording.power(row.delta)))
    return (Cell(row.site), *figures, Cell(f"{row.runs}", number=True))


def environment(view: View) -> Section:
    """What is needed to run it again, and how long it took."""
    results = view.results
    study = results.study
    facts = {"study digest": study.digest, "engine": results.engine, "seed": f"{results.seed}", **results.environment}
    if study.overrides:
        facts["overrides"] = ", ".join(study.overrides)
    phases = {"in all": results.timing.seconds_total, **results.timing.phases}
    tables = (
        Table("environment", "Environment", head("Item", "Value"), (Group("", _pairs(facts)),)),
        Table(
            "timing",
            "Time",
            (Cell("Phase"), Cell("Seconds", number=True)),
            (Group("", _pairs({name: f"{seconds:.1f}" for name, seconds in phases.items()}, number=True)),),
        ),
    )
    return Section("environment", "Environment and time", tables=tables)


def _pairs(values: dict[str, str], number: bool = False) -> tuple[tuple[Cell, ...], ...]:
    return tuple((Cell(name), Cell(value, number=number)) for name, value in values.items())
