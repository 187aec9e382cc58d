"""Append-only files of one JSON object a line, each with its number and the hash of the line before.

A line that was altered, and lines that were removed, put in or moved, show when the file is read. What the chain alone
cannot show is that its end was cut off, or an older copy put back: for that, its heads are known elsewhere.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from client.state import append_synced, cut_synced, private_folder
from shared.errors import PrivacyRefusal

START = "0" * 64  # the head of a chain without a line


@dataclass(frozen=True)
class Link:
    """A line as it was written; ``hash`` is of its bytes, and the next line's ``before``."""

    number: int
    values: dict[str, Any]
    hash: str


@dataclass(frozen=True)
class Break:
    """Where a chain does not hold: the number of a line, and what is wrong there."""

    number: int
    sentence: str


@dataclass(frozen=True)
class Reading:
    """A file as it is on the disk; ``torn`` if its last line has no end, as after a crash in mid-write."""

    links: tuple[Link, ...]
    breaks: tuple[Break, ...]
    torn: bool


class Chain:
    """One such file, for the process that writes it; PrivacyRefusal with ``code`` if its chain does not hold."""

    def __init__(self, path: Path, code: str, refusal: str) -> None:
        private_folder(path.parent)
        reading = read_chain(path)
        if reading.torn:
            # A crash in mid-line: the line was never synced whole, so what it tells of never left.
            cut_synced(path, path.read_bytes().rfind(b"\n") + 1)
        if reading.breaks:
            raise PrivacyRefusal(code, refusal)
        self._path = path
        self.links = list(reading.links)

    @property
    def head(self) -> str:
        """The hash of the last line."""
        return self.links[-1].hash if self.links else START

    def append(self, values: dict[str, Any]) -> Link:
        """Write a line; it is on the disk when this returns.

        After a failed write nobody knows what the disk holds: the next answer reads it anew.
        """
        number = len(self.links) + 1
        line = json.dumps({"number": number, **values, "before": self.head})
        append_synced(self._path, line)
        self.links.append(Link(number, values, _hash(line.encode())))
        return self.links[-1]


def read_chain(path: Path) -> Reading:
    """The lines of a file and where they do not hold together; nothing is changed, whoever writes meanwhile."""
    *lines, rest = path.read_bytes().split(b"\n") if path.exists() else [b""]
    links: list[Link] = []
    breaks: list[Break] = []
    before, number = START, 0
    for place, line in enumerate(lines, start=1):
        values = _parsed(line)
        if values is None:
            breaks.append(Break(place, "cannot be read"))
            before, number = "", place  # whether the next line followed it cannot be said
            continue
        claimed, written = values.pop("before"), values.pop("number")
        if fault := _fault((before, number), (claimed, written)):
            breaks.append(fault)
        before, number = _hash(line), written
        links.append(Link(number, values, before))
    return Reading(tuple(links), tuple(breaks), bool(rest))


def _fault(last: tuple[str, int], this: tuple[str, int]) -> Break | None:
    """What is wrong between two lines of (hash, number) and (hash of the line before, number)."""
    (before, number), (claimed, written) = last, this
    if before in ("", claimed) and written == number + 1:
        return None
    if written > number + 1:
        one = written == number + 2
        gone = f"line {number + 1} was" if one else f"lines {number + 1} to {written - 1} were"
        return Break(written, f"{gone} removed before it")
    if written == number + 1:
        return Break(number or 1, "was altered after it was written")
    return Break(written, "was put in, or moved")


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        values = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict) or not isinstance(values.get("before"), str):
        return None
    return values if isinstance(values.get("number"), int) else None


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def hashes(links: Iterable[Link]) -> set[str]:
    """All heads that a chain ever had, the start among them."""
    return {START, *(link.hash for link in links)}


def texts(path: Path, breaks: Sequence[Break]) -> list[str]:
    """The breaks of a file, a sentence each."""
    return [f"{path.name} line {fault.number}: {fault.sentence}" for fault in breaks]
