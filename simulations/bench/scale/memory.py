"""Peak memory of the server's processes, as Linux counts it, looked at while they live."""

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

LOOK = 0.2  # seconds between two looks; a peak between the last one and a process' end is missed
PROGRAMS = {"server app": "flwr-serverapp"}


class Peaks:
    """For a ``with`` block: the highest resident memory in bytes of the SuperLink and of the server apps it starts."""

    def __init__(self, superlink: Callable[[], int]) -> None:
        self.bytes: dict[str, int] = {}
        self._superlink = superlink
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Peaks":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(LOOK):
            with suppress(psutil.Error, OSError, StopIteration):
                link = psutil.Process(self._superlink())
                self._note("SuperLink", link.pid)
                for child in link.children(recursive=True):
                    for name, program in PROGRAMS.items():
                        if any(program in word for word in child.cmdline()[:4]):
                            self._note(name, child.pid)

    def _note(self, name: str, process: int) -> None:
        self.bytes[name] = max(self.bytes.get(name, 0), peak(process))


def peak(process: int) -> int:
    """The most bytes that a process ever had in memory."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024
