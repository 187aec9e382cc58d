"""What was spent and kept: epsilon by run and by round, every kind of release, what was sealed; what ran where."""

from server.report import wording
from server.report.books import Composed, Release, Spent
from server.report.figures.rounds import rounds_figure
from server.report.layout import Cell, Group, Section, Table, head
from server.report.view import View


def privacy(view: View) -> Section:
    """What each run spent at each hospital, and all of them together."""
    record = view.results.privacy
    if record.mechanism == "none":
        text = 'mechanism = "none": what the hospitals sent can tell about single patients, and nothing bounds it.'
        return Section(
            "privacy", "Privacy and conduct", paragraphs=(text,), figures=rounds_figure(view), tables=_seals(view)
        )
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
            *([f"{record.folds[:1].upper()}{record.folds[1:]}."] if record.folds else []),
        ),
    )
    more = (*_validation(record.validation), *((composed,) if record.composed else ()))
    tables = (spent, *more, *_ledger(view), *_seals(view))
    return Section("privacy", "Privacy and conduct", figures=rounds_figure(view), tables=tables)


def _validation(rows: tuple[Spent, ...]) -> tuple[Table, ...]:
    """What validation patients spent, where they have a budget."""
    note = (
        "Of patients who were evaluated and not trained on. All models of a run are released together, each as one "
        "tally of scores by class with noise in every cell; no exact figure of these patients was sent."
    )
    headings = (*head("Hospital", "Arm", "Fold", "ε spent / budget", "δ"), Cell("Releases", number=True))
    caption = "Privacy spent in validation, by run"
    return (
        (Table("validation-privacy", caption, headings, (Group("", tuple(map(_spent, rows))),), (note,)),)
        if rows
        else ()
    )


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


def _ledger(view: View) -> tuple[Table, ...]:
    """Releases of the main arm by hospital and stage; each single one is in the file."""
    found: dict[tuple[str, str, str], list[Release]] = {}
    for row in view.results.releases:
        if row.arm == view.main.arm:
            found.setdefault((row.fold, row.site, row.stage), []).append(row)
    rows = tuple(
        (
            Cell(site, (f"fold {fold}",) if view.left_out else ()),
            Cell(stage),
            Cell(_span([row.round for row in releases])),
            Cell(f"{sum(row.releases for row in releases)}", number=True),
            Cell(f"{max(row.epsilon for row in releases):.2f}", number=True),
        )
        for (fold, site, stage), releases in found.items()
    )
    headings = (*head("Hospital", "Stage", "Rounds"), Cell("Releases", number=True), Cell("ε up to here", number=True))
    notes = ("Every single release, with its hospital, stage and round, is in releases.csv.",)
    caption = f"Privacy ledger of the arm {view.main.arm}, by stage"
    return (Table("ledger", caption, headings, (Group("", rows),), notes),) if rows else ()


def _span(rounds: list[int]) -> str:
    return f"{min(rounds)}" if min(rounds) == max(rounds) else f"{min(rounds)}–{max(rounds)}"


def _seals(view: View) -> tuple[Table, ...]:
    rows = tuple(
        (
            Cell(seal.site),
            Cell(wording.arm_name(seal.arm), (wording.PROTECTION[seal.private],)),
            Cell(seal.fold),
            *(Cell(digest[:12] or wording.DASH) for digest in (seal.models, seal.thresholds)),
            Cell(_moment(view.results.timing.frozen.get(seal.models))),
        )
        for seal in view.results.seals
    )
    headings = head("Hospital", "Arm", "Fold", "Models", "Thresholds", "Committed (UTC)")
    notes = (
        "Digests (first 12 characters) of what was frozen before the hospital's external patients were evaluated; it "
        "answers for one set of a run and refuses any other.",
    )
    return (Table("seals", "Sealed external cohorts", headings, (Group("", rows),), notes),) if rows else ()


def _moment(time: str | None) -> str:
    """A time as people write it; its column says that it is UTC."""
    return time.replace("T", " ").removesuffix("+00:00") if time else wording.DASH


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
