"""A real federation under test: the server's processes by what they run, a moment of a run, and a run."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from server.diary import read_journal
from server.follow import Job, run_arm
from server.record import RunRecord, load_records
from simulations.real_federation import RealFederation


def of_server(program: str, all_: RealFederation) -> list[psutil.Process]:
    """Processes that the SuperLink started."""
    found = []
    for child in psutil.Process(all_.link.pid).children(recursive=True):
        with suppress(psutil.Error):
            if any(program in word for word in child.cmdline()[:4]):
                found.append(child)
    return found


def kill(processes: list[psutil.Process]) -> None:
    """SIGKILL, to processes that are there."""
    assert processes, "nothing to kill"
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            os.kill(process.pid, signal.SIGKILL)


class Events:
    """Does something once, when a run's journal has come to a line."""

    def __init__(self, folder: Path, event: str, task: str, action: Callable[[], None]) -> None:
        self._folder, self._wanted, self._action = folder, (event, task), action
        self.done = 0.0

    def __call__(self) -> None:
        if self.done:
            return
        for path in (self._folder / "journal").glob("*.jsonl"):
            if any((line["event"], line.get("task")) == self._wanted for line in read_journal(path)):
                self.done = time.monotonic()
                self._action()


def run(all_: RealFederation, study: Path, folder: Path, deadline: float, look: Callable[[], None]) -> RunRecord:
    """Run (or resume) the federated arm in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    run_arm(all_.federation, Job(study, folder, "federated", deadline), look)
    (record,) = load_records(folder)
    return record
