"""A coordinator's process that a test can kill: runs a study over the in-process grid, and dies at a given moment."""

import os
import signal
from pathlib import Path

from flwr.app import Message

import server.disk
from shared.study_file import load_study
from simulations.arms import Hooks, open_consortium, run_arms


def coordinate(study: Path, data: Path, folder: Path, moment: tuple[str, int] | None) -> None:
    """Run or resume the study in ``folder``; SIGKILL at the nth message that crosses, or around the nth file."""
    if moment:
        arm(*moment)
    message = moment[1] if moment and moment[0] == "message" else 0
    crossed = 0

    def watch(site: str, crossing: Message) -> None:
        nonlocal crossed
        crossed += 1
        if crossed == message:
            die()

    loaded = load_study(study)
    consortium = open_consortium(loaded, data, folder / "hospitals")
    run_arms(loaded, consortium, folder, Hooks(watch=watch), twins=False)


def arm(kind: str, number: int) -> None:
    """Die right before, or right after, the nth file takes its name."""
    replace, count = os.replace, 0

    def replaced(source: Path, target: Path) -> None:
        nonlocal count
        count += "hospitals" not in str(target)
        if kind == "before-file" and count == number:
            die()
        replace(source, target)
        if kind == "after-file" and count == number:
            die()

    if kind.endswith("file"):
        server.disk.os.replace = replaced  # type: ignore[attr-defined]


def die() -> None:
    """As a power cut would end it: no handler runs."""
    os.kill(os.getpid(), signal.SIGKILL)
