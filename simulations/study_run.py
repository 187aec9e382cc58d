"""One simulated study from hospitals' folders to the report: invent, read, run every arm, write the results."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from flwr.app import Message
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from client.check import Findings, findings_of
from client.check_notes import folder_notes
from client.check_page import reading_table
from client.suspicion import suspicious
from server.diary import read_journal
from server.follow import Job, run_arm
from server.record import load_records
from server.report.results import Results
from server.report.write import write_report
from server.run_folder import fresh_folder
from server.validation.assemble import assemble
from server.validation.ledger import write_ledger
from shared.cohort_rules import folds_add_up
from shared.errors import FileError, Problem, StudyError
from shared.learnability import learnability_warnings
from shared.schemes import Temporal
from shared.study import Study
from simulations.arms import (
    Consortium,
    Hooks,
    messages_expected,
    of_each_hospital,
    open_consortium,
    protected_only,
    run_arms,
    study_files,
)
from simulations.comparators.run import compared
from simulations.hospitals import generator_digest, invent, oracle
from simulations.real_federation import RealFederation
from simulations.site_file import write_site_file

INVENTED = Path("data")  # where invented hospitals are kept


def run_study(study: Study, data: Path | None, results: Path, console: Console, engine: str = "in-process") -> Path:
    """Run a study over the hospitals in ``data`` (None: invent them); returns the new results folder."""
    begun = time.monotonic()
    if engine == "ray":
        from simulations.on_ray import require_ray

        require_ray()
    with bars(console) as progress:
        hospitals = invented_folder(study, progress) if data is None else data
        folder = fresh_folder(results, study.name)
        consortium = opened(study, hospitals, folder, progress)
        found = [findings_of(archive, study) for archive in consortium.archives.values()]
        console.print(reading_table(found))
        for note in filter(None, (*learnability_warnings(study), folds_add_up(study), *notes_of(found))):
            console.print(f"note: {note}", highlight=False)
        try:
            ENGINES[engine](study, consortium, (hospitals, folder), progress)
        except KeyboardInterrupt:
            kept = len(list((folder / "runs").glob("*.json")))
            console.print(
                f"Stopped. Kept in {folder}: {kept} finished runs (runs/), the last weights of the "
                "unfinished one (checkpoints/), and every hospital's privacy ledger (hospitals/)."
            )
            raise
    truth = oracle(study) if hospitals.name == hospitals_key(study) else {}
    records = load_records(folder)
    if study.comparators:
        records = compared(study, consortium.archives, records)
    outcome = assemble(study, records, engine, truth, time.monotonic() - begun)
    if study.private and (closed := protected_only(consortium)):
        told = f"not run without privacy for comparison, since it is not allowed by {', '.join(closed)}"
        outcome = outcome.model_copy(update={"warnings": (*outcome.warnings, told)})
    if leaks := leaks_of(found):
        outcome = outcome.model_copy(update={"warnings": (*outcome.warnings, *leaks)})
    write_results(study, outcome, folder)
    write_ledger(records, folder)
    return folder


def notes_of(hospitals: Sequence[Findings]) -> list[str]:
    """What is odd about the hospitals' folders, before anything is trained."""
    return [f"{found.site.name}: {note}" for found in hospitals for note in folder_notes(found)]


def leaks_of(hospitals: Sequence[Findings]) -> list[str]:
    """Columns that alone tell the outcome, by the hospitals' own checks; simulated hospitals may share that."""
    told: dict[str, list[str]] = {}
    for found in hospitals:
        for sentence in suspicious(found):
            told.setdefault(sentence, []).append(found.site.name)
    return [f"{sentence} (at {', '.join(sites)})" for sentence, sites in told.items()]


def write_results(study: Study, results: Results, folder: Path) -> None:
    """``results.json``, the report made from it, and the study as it was run."""
    (folder / "study.json").write_text(json.dumps(json.loads(study.text), indent=2) + "\n", encoding="utf-8")
    results.write(folder)
    write_report(results, folder)


def invented_folder(
    study: Study, progress: Progress, root: Path = INVENTED, minimums: Mapping[str, int] | None = None
) -> Path:
    """Folder of the study's invented hospitals; made at the first call, and found again by what it depends on.

    ``minimums`` are the hospitals' own (a real hospital's defaults without them); other ones need another ``root``.
    """
    if study.simulation is None:
        rule, remedy = "has no [simulation] section, so its hospitals cannot be invented", "name a folder: --data DIR"
        raise StudyError([Problem(study.name, "", rule, remedy)])
    folder = root / hospitals_key(study)
    complete = folder / "complete"
    if not complete.exists():
        task = progress.add_task("inventing hospitals", total=sum(site.patients for site in study.sites.values()))
        invent(study, folder, progress=lambda done, _: progress.update(task, completed=done))
        for site in study.sites:
            write_site_file(folder / site, site, **(minimums or {}))
        complete.touch()
    return folder


def hospitals_key(study: Study) -> str:
    """A name for invented hospitals: the study's, and a digest of all that they depend on."""
    keys = {"seed", "unit", "outcome", "survival", "modalities", "sites", "simulation"}
    keys |= {"cohorts"} if isinstance(study.cohorts, Temporal) else set()  # who is dated before the cut
    content = study.model_dump_json(include=keys, by_alias=True) + generator_digest()
    return f"{study.name}-{hashlib.sha256(content.encode()).hexdigest()[:8]}"


def opened(study: Study, hospitals: Path, folder: Path, progress: Progress) -> Consortium:
    """The hospitals with every modality read once; where any cannot be used, nothing has begun and nothing is left."""
    try:
        consortium = open_consortium(study, hospitals, folder / "hospitals")
        task = progress.add_task("reading hospitals", total=len(consortium.archives) * len(study.modalities))

        def read(site: str) -> None:
            for name in study.modalities:
                consortium.archives[site].reading(study, name)
                progress.advance(task)

        of_each_hospital(consortium.archives, read)
    except (FileError, KeyboardInterrupt):
        folder.rmdir()
        raise
    return consortium


def train_here(study: Study, consortium: Consortium, places: tuple[Path, Path], progress: Progress) -> None:
    """Run all arms in this process, with a step of the bar for each message to a hospital."""
    task = progress.add_task("training and validating", total=messages_expected(study, consortium))

    def watch(_: str, message: Message) -> None:
        if not message.metadata.reply_to_message_id:
            progress.advance(task)

    run_arms(study, consortium, places[1], Hooks(watch=watch))


def train_over_superlink(study: Study, consortium: Consortium, places: tuple[Path, Path], progress: Progress) -> None:
    """Run all arms over real processes, the pooled one here; ``places`` are the hospitals' and the results' folder."""
    hospitals, folder = places
    task = progress.add_task("starting", total=messages_expected(study, consortium))
    files = study_files(study, consortium, folder, twins=True)
    with RealFederation({name: hospitals / name / "site.toml" for name in study.sites}, folder / "federation") as all_:
        all_.join(list(study.sites), files)
        progress.update(task, description="training and validating")

        def remote(path: Path, arm: str) -> None:
            run_arm(all_.federation, Job(path, folder, arm, Hooks.deadline), look)

        def look() -> None:
            lines = [line["event"] for path in (folder / "journal").glob("*.jsonl") for line in read_journal(path)]
            progress.update(task, completed=lines.count("answered") + lines.count("failed"))

        run_arms(study, consortium, folder, Hooks(), remote=remote)
        look()


def train_on_ray(study: Study, consortium: Consortium, places: tuple[Path, Path], progress: Progress) -> None:
    """Run all arms under Flower's simulation engine, the pooled one here, with a step of the bar for each reply."""
    from simulations.on_ray import Ground, run_arm_on_ray

    hospitals, folder = (place.resolve() for place in places)
    task = progress.add_task("training and validating", total=messages_expected(study, consortium))
    ground = Ground(study.text, hospitals, folder)

    def remote(path: Path, arm: str) -> None:
        run_arm_on_ray(ground, path, arm, lambda: progress.advance(task))

    def watch(_: str, message: Message) -> None:
        if message.metadata.reply_to_message_id:
            progress.advance(task)

    run_arms(study, consortium, folder, Hooks(watch=watch), remote=remote)


ENGINES = {"in-process": train_here, "superlink": train_over_superlink, "ray": train_on_ray}


def bars(console: Console) -> Progress:
    """Progress bars, one a task."""
    return Progress(
        TextColumn("{task.description:<24}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )
