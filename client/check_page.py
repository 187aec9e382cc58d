"""Prints what a check found, for the hospital's data engineer: counts, rules and line numbers, never a value."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table

from client.check import Findings, Lines, RoleFinding, check, open_files
from client.check_notes import notes, runs_here
from client.cohort import TABLE
from client.page import columns, page
from client.site import Site
from shared.cohorts import Fold, folds, training_patients
from shared.command_line import DONE
from shared.errors import FileError, Problem
from shared.study import DpSgd, Study

SHOWN = 6  # line numbers of a rule


def check_and_print(site_file: Path, study_file: str, overrides: Sequence[str], strict: bool = False) -> int:
    """The command: print the page; FileError with every reason for which this hospital would not train.

    ``strict``: also where a patient's file or cell is left out because it cannot be read.
    """
    console = page()
    site, study = open_files(site_file, study_file, overrides)
    bar = Progress(TextColumn("reading {task.description:<20}"), BarColumn(), MofNCompleteColumn(), transient=True)
    tasks: dict[str, TaskID] = {}

    def advance(modality: str, done: int, total: int) -> None:
        if modality not in tasks:
            tasks[modality] = bar.add_task(modality, total=total)
        bar.update(tasks[modality], completed=done)

    with bar:
        found, problems = check(site, study, advance)
    if found:
        print_page(found, console)
        problems += [*_unread(found)] if strict else []
    if problems:
        raise FileError(problems)
    console.print("The folder can be used. Nothing was written or sent.", style="bold")
    return DONE


def _unread(found: Findings) -> Iterator[Problem]:
    """What is left out of each modality, as problems."""
    for modality in found.modalities:
        for rule, lines in modality.faults.items():
            place = f"{modality.name}, line{'s' * (len(lines) > 1)} {_some(lines)}"
            yield Problem(TABLE, place, rule, "mend it, or leave its cell empty")


def print_page(found: Findings, console: Console) -> None:
    """All findings, the notes last."""
    site, study = found.site, found.study
    console.print(f"{site.name} in {study.name}: {study.title}", style="bold")
    console.print(_part(study, site.name))
    console.print(_privacy(study, site))
    _print_rows(found, console)
    _print_modalities(found, console)
    _print_roles(found.roles, console)
    if told := list(notes(found)):
        console.print(f"Notes ({len(told)})", style="bold")
        grid = Table.grid(padding=(0, 1))
        for note in told:
            grid.add_row("  -", note)
        console.print(grid)
    console.print()


def _part(study: Study, site: str) -> str:
    """What the hospital does in the study."""
    trains = [fold for fold in folds(study) if site in fold.train]
    external = [fold for fold in folds(study) if site in fold.external]
    parts = []
    if trains:
        share = 1 - training_patients(study, site, trains[0]) / study.sites[site].patients
        aside = f", keeps {share:.0%} of its patients aside to validate" * (share > 0)
        parts.append(f"trains{_of(trains, study)}{aside}")
    if external:
        parts.append(f"is external{_of(external, study)}: validates, does not train")
    return f"This hospital {'; '.join(parts)}."


def _of(some: Sequence[Fold], study: Study) -> str:
    every = len(folds(study))
    return f" in {len(some)} of {every} folds" if every > 1 else ""


def _privacy(study: Study, site: Site) -> str:
    if not isinstance(study.privacy, DpSgd):
        allowed = "allows" if site.limits.allow_without_privacy else "does not allow"
        return f"Privacy: none; this hospital {allowed} that."
    return (
        f"Privacy: epsilon {study.privacy.epsilon:g} a run at delta {study.privacy.delta:g}; runs that train here: "
        f"{runs_here(study, site.name)}."
        f"{_validation(study)} This hospital allows epsilon {site.limits.max_epsilon:g} over all studies."
    )


def _validation(study: Study) -> str:
    noise = study.validation_noise
    return f" Patients who validate: epsilon {noise.epsilon:g} a run at delta {noise.delta:g}." if noise else ""


def _print_rows(found: Findings, console: Console) -> None:
    cohort = found.cohort
    n, left_out = len(cohort.units), sum(cohort.excluded.values())
    console.print(f"\n{TABLE}: {n + left_out} rows read, {n} eligible, {left_out} excluded", style="bold")
    console.print(f"  the study declares {found.study.sites[found.site.name].patients} patients here")
    if unread := found.unread:
        console.print(f"  {len(unread)} columns are not read by the study: {', '.join(unread)}")
    if cohort.harmonized:
        told = (f"{column} ({rule}) {count}" for (column, rule), count in sorted(cohort.harmonized.items()))
        console.print(f"  cells that harmonization changed: {', '.join(told)}")
    table = columns("rule", "rows", f"lines of {TABLE}")
    _add_lines(table, "excluded: ", cohort.excluded_lines)
    _add_lines(table, "kept: ", cohort.noted_lines)
    if table.rows:
        console.print(table)


def _print_modalities(found: Findings, console: Console) -> None:
    console.print("\nModalities", style="bold")
    faults = columns("fault", "times", "lines")
    for modality in found.modalities:
        _add_lines(faults, f"{modality.name}: ", modality.faults)
    console.print(reading_table([found]))
    if faults.rows:
        console.print(faults)


def reading_table(hospitals: Sequence[Findings]) -> Table:
    """What is read: patients, tensors, memory of all patients, and the time of a first batch, libraries included."""
    site = ["site"] * (len(hospitals) > 1)
    table = columns("modality", *site, "present", "absent", "tensor of a patient", "kept", "memory", "first batch")
    for found in hospitals:
        for modality in found.modalities:
            survey, n, present = modality.survey, len(modality.present), int(modality.present.sum())
            shapes = (" x ".join(map(str, shape)) for shape in (modality.shape, survey.shape))
            first = f"{survey.timed} in {survey.seconds:.2f} s" if survey.timed else "from the cache"
            name = [modality.name, *([found.site.name] if site else [])]
            table.add_row(*name, str(present), str(n - present), *shapes, _bytes(n * survey.bytes_each), first)
    return table


def _bytes(number: float) -> str:
    """A size in the unit that fits it."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB"


def _print_roles(roles: Sequence[RoleFinding], console: Console) -> None:
    console.print("\nPatients by role", style="bold")
    table = columns("role", "patients", "events", "others", "figures that leave")
    for role in roles:
        leaves = f"none: {role.withheld}" if role.withheld else "all"
        events = ("-", "-") if role.events is None else (str(role.events), str(role.n - role.events))
        table.add_row(role.role, str(role.n), *events, leaves)
    console.print(table)


def _add_lines(table: Table, prefix: str, faults: Lines) -> None:
    for rule, lines in faults.items():
        table.add_row(prefix + rule, str(len(lines)), _some(lines))


def _some(lines: Sequence[int]) -> str:
    """The first line numbers."""
    return ", ".join(map(str, lines[:SHOWN])) + (", …" if len(lines) > SHOWN else "")
