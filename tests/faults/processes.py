"""A real federation under test: its processes by what they run, a moment of a run, and what must hold after it."""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from client.ledger_file import LedgerFile
from client.site import Site, load_site
from client.verification import faults_of
from server.diary import read_journal
from server.follow import Job, run_arm
from server.record import RunRecord, load_records
from shared.privacy.records import Spend, spent
from shared.study import Study
from simulations.real_federation import RealFederation
from tests.faults.proxy import Proxy
from tests.resident import approve
from tests.small import egress

TYPED = {"described", "trained", "tallied", "evaluated", "refused", "resolved"}


class Place:
    """The federation that all rows of the table share: h1, h2 and h3 train, h4 validates.

    The wire of h3 can be cut; the state of h2 lies on a disk of its own, where this machine lets it be mounted.
    """

    def __init__(self, folder: Path, all_: RealFederation, study: Study, wire: Proxy) -> None:
        self.folder, self.all, self.study, self.wire = folder, all_, study, wire

    def study_file(self, title: str, private: bool = False) -> tuple[Study, Path]:
        """The study under another title, so that it is a study of its own, approved everywhere; all are connected."""
        named = self.study.model_copy(update={"title": title})
        study = named if private else named.without_privacy()
        path = self.folder / f"{title}.json"
        path.write_text(study.text, encoding="utf-8")
        for name in study.sites:
            approve(self.site(name), study)
        self.all.wait(list(study.sites))
        return study, path

    def site(self, name: str) -> Site:
        """A hospital's own file."""
        return load_site(self.all.hospitals[name].site_file)

    def run(self, study: Path, folder: Path, deadline: float, look: Callable[[], None] = lambda: None) -> RunRecord:
        """Run (or resume) the federated arm in a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        run_arm(self.all.federation, Job(study, folder, "federated", deadline), look)
        (record,) = load_records(folder)
        return record

    def of_server(self, program: str) -> list[psutil.Process]:
        """Processes that the SuperLink started."""
        return running(program, self.all.link.pid)

    @property
    def server(self) -> psutil.Process:
        """The SuperLink."""
        return psutil.Process(self.all.link.pid)

    def of_hospital(self, program: str, name: str) -> list[psutil.Process]:
        """Processes that a hospital's ``join`` started."""
        return running(program, self.all.hospitals[name].pid)

    def spends(self, name: str, study: Study) -> list[Spend]:
        """What a hospital's ledger has of a study."""
        return [one for one in LedgerFile(self.site(name).state).spends if one.run.study == study.digest]

    def books_hold(self, study: Study, record: RunRecord) -> None:
        """At no hospital a spend is lost or doubled, the books are whole, and nothing but typed messages left."""
        for name in record.trainers:
            lines = self.spends(name, study)
            places = [(line.stage, line.round) for line in lines]
            assert len(set(places)) == len(places), f"{name} spent a round twice"
            assert not lines or spent(lines, lines[0].delta) <= study.privacy.epsilon  # type: ignore[union-attr]
            told = {(line.stage, line.round) for line in record.ledger if line.site == name}
            assert told <= set(places), f"{name} released what its ledger does not know"
        for name in study.sites:
            assert faults_of(self.site(name).state) == []
            assert {str(line["kind"]) for line in egress(self.site(name))} <= TYPED


def running(program: str, parent: int) -> list[psutil.Process]:
    """Descendants of a process that run a program."""
    found = []
    for child in psutil.Process(parent).children(recursive=True):
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


def told(folder: Path) -> list[dict[str, Any]]:
    """All lines of the journals of a run's folder."""
    return [line for path in (folder / "journal").glob("*.jsonl") for line in read_journal(path)]


class Events:
    """Does something once, when a run's journal has come to a line, and what it is done to is there."""

    def __init__(
        self,
        folder: Path,
        event: str,
        task: str | None,
        action: Callable[[], object],
        ready: Callable[[], object] = lambda: True,
    ) -> None:
        self._folder, self._wanted, self._action, self._ready = folder, (event, task), action, ready
        self.done = 0.0

    def __call__(self) -> None:
        if self.done or not any((line["event"], line.get("task")) == self._wanted for line in told(self._folder)):
            return
        if self._ready():
            self.done = time.monotonic()
            self._action()


@contextmanager
def slowed(parent: int, times: int) -> Iterator[None]:
    """All that a process started gets ``1/times`` of the time, until the end of the block."""
    ended = threading.Event()

    def signal_all(number: int) -> None:
        for process in psutil.Process(parent).children(recursive=True):
            with suppress(ProcessLookupError, psutil.Error):
                os.kill(process.pid, number)

    def slow() -> None:
        while not ended.is_set():
            signal_all(signal.SIGSTOP)
            time.sleep(0.1 * (times - 1))
            signal_all(signal.SIGCONT)
            time.sleep(0.1)

    thread = threading.Thread(target=slow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def disk(place: Path, kilobytes: int) -> Iterator[bool]:
    """A small file system at a folder; False where none can be mounted."""
    place.mkdir(parents=True, exist_ok=True)
    options = ["-t", "tmpfs", "-o", f"size={kilobytes}k,mode=700", "none"]
    call = ["mount", *options, str(place)]
    mounted = bool(shutil.which("mount")) and not subprocess.run(call, capture_output=True, check=False).returncode
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", place], check=True)


def filled(place: Path, pages: int = 0) -> Path:
    """Fill a disk but for some pages of 4 KiB; returns the file without which there is room again."""
    path = place / "filler"
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            file.truncate(max(file.tell() - pages * 4096, 0))
    return path
