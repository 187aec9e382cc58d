"""Starts the agent and the SuperNode and keeps both running, until it is told to stop; ends only what it started."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from client.log_file import log_to
from client.page import page
from client.parent import VARIABLE
from client.site import load_front, load_site
from client.state import JOIN_LOCK, holder, only_one
from client.supernode import call
from shared.command_line import DONE, FAILED, WRONG_CALL
from shared.errors import Problem, SiteError

log = logging.getLogger(__name__)
LOOK = 0.5  # seconds between two looks at the processes
FIRST, LONGEST = 1.0, 60.0  # seconds before a process is started again; doubled each time
STEADY = 120.0  # seconds after which a process counts as well again
PATIENCE = 20.0  # seconds for a process to end by itself, then it is killed
TRIES = 6  # starts of the agent that fail one after the other; the SuperNode is tried for ever


class Kept:
    """One process that is started again when it ends."""

    def __init__(self, name: str, words: Sequence[str], environment: Mapping[str, str], output: Path | None) -> None:
        self.name, self._words, self._environment, self._output = name, words, environment, output
        self._process: subprocess.Popen[bytes] | None = None
        self._begun = self._due = time.monotonic()
        self._pause = FIRST
        self.failed = 0

    def look(self) -> int | None:
        """Start it if it is due; its exit code if it has just ended."""
        now = time.monotonic()
        if self._process is None:
            if now >= self._due:
                self._start(now)
            return None
        code = self._process.poll()
        if code is None:
            return None
        _kill_session(self._process.pid)
        self._process = None
        steady = now - self._begun > STEADY
        self.failed = 1 if steady else self.failed + 1
        self._pause = FIRST if steady else min(2 * self._pause, LONGEST)
        self._due = now + self._pause
        log.warning("%s ended with code %s; it is started again in %.0f s", self.name, code, self._pause)
        return code

    def _start(self, now: float) -> None:
        output = os.open(self._output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) if self._output else None
        try:
            self._process = subprocess.Popen(
                self._words, env=self._environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip
        finally:
            if output is not None:
                os.close(output)
        self._begun = now
        log.info("%s started as process %d", self.name, self._process.pid)

    def end(self) -> None:
        """Ask it to end, and kill it with what it started where it does not."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            log.warning("%s did not end, and is killed", self.name)
        _kill_session(self._process.pid)
        self._process.wait()


def _kill_session(leader: int) -> None:
    """What a process started and left behind; the session is ours, as we made it."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def join(site_file: Path, metrics: int | None = None) -> int:
    """The command: agent (with metrics at a port, if one is given) and SuperNode, until SIGTERM, SIGINT or ``leave``.

    Exit code 0 when it was told to stop, 1 when the agent fails again and again, 2 when a file is wrong.
    """
    load_site(site_file)
    front = load_front(site_file)
    call(front)  # for what is wrong with kit or key, before anything starts
    if only_one(front.state, JOIN_LOCK) is None:
        rule, remedy = "this hospital has joined already", "python -m client leave site.toml"
        raise SiteError([Problem(site_file.name, "state", rule, remedy)])
    log_to(front.state, "join")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    program, own = [sys.executable, "-m", "client"], {**os.environ, VARIABLE: str(os.getpid())}
    told = ["--metrics", str(metrics)] if metrics else []
    agent = Kept("agent", [*program, "agent", str(site_file.resolve()), *told], own, None)
    output = front.connection.home / "supernode.log"
    supernode = Kept("SuperNode", [*program, "supernode", str(site_file.resolve())], own, output)
    page().print(f"{front.name} joins. Its log is in the state folder; `leave` or Ctrl-C ends it.")
    try:
        return _keep(agent, supernode, stop)
    finally:
        for kept in (supernode, agent):  # first who asks, then who answers
            kept.end()
        log.info("left")


def _keep(agent: Kept, supernode: Kept, stop: threading.Event) -> int:
    while not stop.wait(LOOK):
        if agent.look() == WRONG_CALL:
            return WRONG_CALL
        if agent.failed >= TRIES:
            log.error("the agent ended %d times; its own log says why", TRIES)
            return FAILED
        supernode.look()
    return DONE


def leave(site_file: Path) -> int:
    """The command: end this hospital's ``join``, and wait until it has ended."""
    front = load_front(site_file)
    process = holder(front.state, JOIN_LOCK)
    if process is None:
        page().print("This hospital has not joined; nothing was running.")
        return DONE
    os.kill(process, signal.SIGTERM)
    if _until(lambda: holder(front.state, JOIN_LOCK) is None, 3 * PATIENCE):
        page().print("Left. Ledger, keys and data stay where they are.")
        return DONE
    page().print("It was asked to stop, and still runs.")
    return FAILED


def _until(reached: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True
