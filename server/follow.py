"""Runs an arm of a study over a started federation, and follows it until it is done."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from server.bundle import build_bundle
from server.control import Config, Control, RunState
from server.diary import read_journal
from server.federation_file import Federation
from shared.errors import RunError

POLL = 0.5  # seconds between looks
PATIENCE = 60.0  # seconds in which a server that does not answer may answer again
ROOM = 1_000_000  # bytes free on the disk below which a run that stopped could not write


@dataclass(frozen=True)
class Job:
    """One arm of a study file, the run's folder, and the seconds that a hospital has for an answer."""

    study: Path
    folder: Path
    arm: str
    deadline: float


def run_arm(federation: Federation, job: Job, look: Callable[[], None]) -> None:
    """Run or resume one arm in a run's folder; ``look`` is called while it runs. RunError if it fails.

    A stop from outside (Ctrl-C) ends the run at Flower too.
    """
    with Control(federation.control, federation.state / "ca.crt") as control:
        number = control.start(build_bundle(), config_of(federation, job))
        try:
            while (state := _state(control, number)).status != "finished":
                look()
                time.sleep(POLL)
        except KeyboardInterrupt:
            control.stop(number)
            raise
        except RunError as error:
            raise _stopped(str(error), job) from None
    look()
    if state.outcome != "completed":
        raise _stopped(reason(job.folder) or "the server app ended before the run was done", job)


def _state(control: Control, number: int) -> RunState:
    """How a run is; a server that does not answer now (its database is locked, say) is asked for a minute."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return control.state(number)
        except RunError:
            if time.monotonic() > until:
                raise
            time.sleep(POLL)


def _stopped(told: str, job: Job) -> RunError:
    return RunError(f"{told}\nGo on from the last checkpoint by `python -m server resume {job.folder}`")


def config_of(federation: Federation, job: Job) -> Config:
    """The run's configuration of the server app; nothing in it is for a hospital."""
    return {
        "study": str(job.study),
        "overrides": "",
        "arm": job.arm,
        "folder": str(job.folder),
        "heads": str(federation.heads),
        "deadline-seconds": job.deadline,
    }


def reason(folder: Path) -> str:
    """Why the last run in a folder stopped, if it can be said."""
    if (free := shutil.disk_usage(folder).free) < ROOM:
        return f"the disk of the run's folder is full ({free / 1e6:.1f} MB are free): make room"
    journals = sorted((folder / "journal").glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
    lines = read_journal(journals[-1]) if journals else []
    return str(lines[-1]["reason"]) if lines and lines[-1]["event"] == "stopped" else ""
