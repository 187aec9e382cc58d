"""Shows in words what a study asks of this hospital, asks for a yes, and notes who gave or took it back."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from rich.console import Console

from client.approvals import APPROVED, ApprovalFile, decisions, holds, today
from client.check import open_files, refusals
from client.check_notes import runs_here, validates_here
from client.ledger_file import LedgerFile
from client.page import columns, page
from client.site import Site, load_site
from client.state import locked
from shared.cohort_rules import folds_add_up
from shared.cohorts import folds
from shared.command_line import DONE, FAILED
from shared.errors import Problem, SiteError, StudyError
from shared.modalities import Modality
from shared.privacy.accounting import spent_epsilon
from shared.privacy.mechanism import plan_privacy
from shared.privacy.records import Spend
from shared.selection import selecting
from shared.study import DpSgd, Study
from shared.study_file import load_study

UNPROTECTED = "bold red"
COUNTS = "how many patients there are in each role, and how many rows the table left out by each rule"
EXACT = "figures of each model on validation patients: AUC, calibration, counts of scores"
NOISED = (
    "of validation patients, for each model, one table of its scores by class with noise in every cell, and no more"
)


def approve(files: tuple[Path, str, Sequence[str]], signed: dict[str, str], until: date, yes: bool) -> int:
    """The command: ``files`` are site.toml, the study and its overrides; exit code 1 where the person says no."""
    site, study = open_files(*files)
    if problems := list(refusals(site, study)):
        raise SiteError(problems)
    if until < today():
        raise SiteError([Problem("--until", until.isoformat(), "is over", "name a day to come")])
    console = page()
    with locked(site.state):
        spends = LedgerFile(site.state).spends
    print_request(site, study, spends, console)
    console.print(f"\nTo be noted: {signed['by']} ({signed['role']}), until {until.isoformat()} inclusive.")
    if not (yes or _said_yes()):
        console.print("Not approved; nothing was written.")
        return FAILED
    with locked(site.state):
        ApprovalFile(site.state).approve((study.digest, study.name, study.text), signed, until)
    console.print(f"Approved: {study.name}, digest {study.digest}", soft_wrap=True)
    return DONE


def revoke(site_file: Path, named: tuple[str, Sequence[str]], signed: dict[str, str]) -> int:
    """The command: end the approval of a study, named by the beginning of its digest or by its file."""
    site = load_site(site_file)
    with locked(site.state):
        digest = _approved_digest(site, *named)
        name = decisions(site.state)[digest].values["name"]
        ApprovalFile(site.state).revoke((digest, name), signed)
    page().print(f"Revoked: {digest[:12]}. Nothing more is answered for it; what left before cannot be taken back.")
    return DONE


def print_approvals(site_file: Path) -> int:
    """The command: the last decision on each study."""
    site, console = load_site(site_file), page()
    table = columns("study", "digest", "state", "by", "role", "until", "noted")
    for digest, link in decisions(site.state).items():
        values = link.values
        state = values["kind"] if values["kind"] != APPROVED or holds(values, today()) else "ended"
        told = (values.get(key, "") for key in ("by", "role", "until"))
        table.add_row(values["name"], digest[:12], state, *told, values["time"][:10])
    console.print(table if table.rows else "No study was approved here; none can run.")
    return DONE


def print_request(site: Site, study: Study, spends: Sequence[Spend], console: Console) -> None:
    """Everything that a person must know before a yes."""
    console.print(f"{study.name}: {study.title}", style="bold")
    console.print(f"digest {study.digest}", soft_wrap=True)
    if study.overrides:
        console.print(f"with overrides, which the digest covers: {', '.join(study.overrides)}")
    console.print(f"\nWhat it does here: {_part(study, site.name)}")
    console.print(f"It predicts {study.outcome.phrase}; time of the prediction: {study.outcome.predicted_at}.")
    console.print("\nWhat it reads", style="bold")
    for name, texts in _read(study).items():
        console.print(f"  {name}: {', '.join(texts)}")
    console.print("\nWhat will leave", style="bold")
    trains = runs_here(study, site.name)
    updates = ["updates of the model, learned from training patients"] * bool(trains)
    for text in [COUNTS, NOISED if study.validation_noise else EXACT, *updates]:
        console.print(f"  - {text}")
    if study.boosted and trains:
        console.print(
            "  - boosted trees: the points where they split are values of patients here, and all hospitals get them"
        )
    if study.cox and trains:
        told = "gradients, products of inputs, events by time"
        console.print(f"  - sums of training patients for a Cox regression: {told}")
    if selecting(study) and trains:
        console.print("  - counts of training patients by class in each column, from which columns are chosen")
    limits = site.limits
    console.print(
        f"  Never a patient's row, image or score; no figure of fewer than {limits.min_patients} patients or "
        f"{limits.min_class} of a class, no count below {limits.min_cell}."
    )
    console.print("\nPrivacy", style="bold")
    _print_privacy(site, study, spends, console)


def _print_privacy(site: Site, study: Study, spends: Sequence[Spend], console: Console) -> None:
    trains, limit = runs_here(study, site.name), site.limits.max_epsilon
    if not isinstance(study.privacy, DpSgd):
        console.print(
            "  WITHOUT PRIVACY: nothing bounds what the updates tell about a single patient.", style=UNPROTECTED
        )
        return
    plan = plan_privacy(study)
    assert plan is not None
    noise = study.privacy.validation
    delta = min([plan.delta, *([noise.delta] if noise else []), *(spend.delta for spend in spends)])
    before = [spend.release for spend in spends if spend.run.study != study.digest]
    validates = validates_here(study, site.name) if plan.validation else 0
    asked = [stage.whole for stage in plan.stages.values()] * trains
    asked += [plan.validation.whole] * validates if plan.validation else []
    now = [spend.release for spend in spends]
    left, after = (limit - spent_epsilon(releases, delta) for releases in (now, [*before, *asked]))
    console.print(
        f"  epsilon {plan.epsilon:g} at delta {plan.delta:g} per patient and run; runs that train here: {trains}\n"
        f"{_validation(study, validates)}"
        f"  this hospital allows epsilon {limit:g} over all studies; left now {left:.3f}, "
        f"left after this study {after:.3f} (at delta {delta:g})"
    )
    if told := folds_add_up(study):
        console.print(f"  {told[:1].upper()}{told[1:]}.")
    if after < 0:
        console.print("  It asks for more than is left: it will be stopped before its end.", style=UNPROTECTED)
    if not noise:
        console.print("  Figures of validation patients are protected by aggregation, not by epsilon.")


def _validation(study: Study, runs: int) -> str:
    noise = study.validation_noise
    if noise is None:
        return ""
    return (
        f"  of patients who validate: epsilon {noise.epsilon:g} at delta {noise.delta:g} per patient and run, a line "
        f"of their own in the ledger; runs that validate here: {runs}\n"
    )


def _part(study: Study, name: str) -> str:
    """What the hospital is in the study, over its folds."""
    trains = sum(name in fold.train for fold in folds(study))
    outside = sum(name in fold.external for fold in folds(study))
    parts = [f"trains in {trains}"] * bool(trains) + [f"validates only in {outside}"] * bool(outside)
    return f"{' and '.join(parts) or 'nothing'} of {len(folds(study))} folds"


def _read(study: Study) -> dict[str, list[str]]:
    """What is read, by modality; columns of the patients' table that are not inputs first."""
    unit = study.unit
    own = [name for name in (unit.patient, unit.row, unit.time, *study.outcome.columns) if name]
    return {"patients.csv": own, **{name: list(_sources(spec)) for name, spec in study.modalities.items()}}


def _sources(spec: Modality) -> Iterator[str]:
    """Columns, tables and files of one modality, whatever its kind calls them."""
    yield from getattr(spec, "columns", ())
    for key, words in (("column", "column"), ("table", "table"), ("path", "files by")):
        if value := getattr(spec, key, ""):
            yield f"{words} {value}"
    yield from getattr(spec, "variables", ())


def _approved_digest(site: Site, study: str, overrides: Sequence[str]) -> str:
    known = decisions(site.state)
    found = [digest for digest in known if len(study) >= 6 and digest.startswith(study)]
    digest = found[0] if len(found) == 1 else load_study(study, overrides).digest
    if digest not in known or known[digest].values["kind"] != APPROVED:
        rule = f"the study with digest {digest[:12]} is not approved here"
        raise StudyError([Problem("--study", "", rule, "python -m client approvals site.toml lists what is")])
    return digest


def _said_yes() -> bool:
    try:
        return input('Type "yes" to approve: ').strip().lower() == "yes"
    except EOFError:
        return False
