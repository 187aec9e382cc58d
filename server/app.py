"""The Flower ServerApp: runs an arm of a study over whatever grid it is given, and leaves the records in a folder."""

import errno
from pathlib import Path

from flwr.app import Context
from flwr.serverapp import Grid, ServerApp

from shared.cohorts import Fold, folds
from shared.errors import MedleyError
from shared.study import Study
from shared.study_file import load_study

app = ServerApp()


@app.main()
def main(grid: Grid, context: Context) -> None:
    """Run every fold of the arm that the run's configuration names, and keep each run's record.

    What the folder holds of an earlier process is not done again: finished runs stay, an unfinished one goes on.
    """
    from server.diary import Journal, journal_file
    from server.questions import Assignment
    from server.record import record_file
    from server.rounds import conduct
    from shared.privacy.records import RunKey

    config = context.run_config
    heads = str(config["heads"])
    overrides = [text for text in str(config["overrides"]).split(";") if text]
    study = load_study(str(config["study"]), overrides)
    for fold in folds(study):
        for arm, trainers in trainers_of(study, fold, str(config["arm"])).items():
            job = Assignment(
                study=study,
                run=RunKey(study=study.digest, fold=fold.name, arm=arm),
                trainers=trainers,
                evaluators=tuple(site for site in study.sites if site in fold.sites),
                min_contributors=min_contributors(study, arm),
                folder=Path(str(config["folder"])),
                deadline=float(str(config["deadline-seconds"])),
                heads=Path(heads) if heads else None,
            )
            if record_file(job.folder, job.run).exists():
                continue  # it was finished before the server was stopped
            try:
                conduct(grid, job).save(job.folder)
            except (MedleyError, OSError) as error:
                full = isinstance(error, OSError) and error.errno == errno.ENOSPC
                told = "the disk of the run's folder is full: make room" if full else str(error)
                if full or isinstance(error, MedleyError):  # of others no text is ours to tell
                    Journal(journal_file(job.folder, job.label)).tell("stopped", reason=told)
                raise


def trainers_of(study: Study, fold: Fold, arm: str) -> dict[str, tuple[str, ...]]:
    """Who trains in each run of an arm: one run a hospital for "alone"; the simulation's pool for "pooled"."""
    if arm == "alone":
        return {f"alone:{site}": (site,) for site in fold.train}
    return {arm: ("pooled",) if arm == "pooled" else fold.train}


def min_contributors(study: Study, arm: str) -> int:
    """How many hospitals must have trained a group before it is published; one where the arm is about one."""
    return study.training.min_contributors if arm == "federated" and not study.training.share_alone else 1
