"""Keeps a run on the server's disk after each round, whole, so that one that was stopped goes on as if it had not been.

A checkpoint has the weights, the sums of the stage's average, and the notes: stage, round, cohorts, thresholds, diary.
The one before it stays beside it, and takes its place where it is damaged.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from safetensors import SafetensorError, safe_open

from server.diary import Diary
from server.disk import write_blocks
from server.spool import Spool
from server.weights import Averager
from shared.errors import RunError
from shared.privacy.records import RunKey
from shared.sections import Section
from shared.tensors import Tensor, blocks, weights_digest
from shared.wire import Arrays, CohortCount, Line

FROZEN = "frozen"  # the stage after the last: weights and thresholds stand, and only figures are missing
WEIGHTS, SUMS, LEARNERS = "weights", "sums", "learners"


@dataclass
class Progress:
    """How far a run has come; ``round`` is the last that is finished in ``stage``."""

    weights: Arrays
    learners: Arrays = field(default_factory=dict)  # trees, regressions, and which columns are read
    stage: str = ""
    round: int = 0
    average: Averager = field(default_factory=lambda: Averager(1, {}))
    cohorts: dict[str, tuple[CohortCount, ...]] | None = None
    thresholds: dict[str, float | None] = field(default_factory=dict)
    recalibration: dict[str, Line] = field(default_factory=dict)
    diary: Diary = field(default_factory=Diary)
    seconds: float = 0.0  # of the processes that ran it before


class Note(Section):
    """What a checkpoint says beside its arrays."""

    run: RunKey
    stage: str
    round: int
    first: int
    averaged: int
    cohorts: dict[str, tuple[CohortCount, ...]]
    thresholds: dict[str, float | None]
    recalibration: dict[str, Line] = {}
    diary: Diary
    seconds: float


@dataclass(frozen=True)
class _Parts(Mapping[str, Tensor]):
    """The arrays of several mappings, each read when it is asked for; names begin with the part's."""

    parts: Mapping[str, Mapping[str, Tensor]]

    def __getitem__(self, name: str) -> Tensor:
        part, _, rest = name.partition("/")
        return self.parts[part][rest]

    def __iter__(self) -> Iterator[str]:
        return (f"{part}/{name}" for part, arrays in self.parts.items() for name in arrays)

    def __len__(self) -> int:
        return sum(map(len, self.parts.values()))


def save_weights(path: Path, weights: Mapping[str, Tensor], note: dict[str, str]) -> None:
    """Write weights whole or not at all, with a note of what they are."""
    told = {"note": json.dumps(note, sort_keys=True)}  # one key, as the format keeps no order of several
    write_blocks(path, blocks(weights, told))


def save_checkpoint(path: Path, run: RunKey, progress: Progress) -> None:
    """Write a checkpoint; the last one is kept beside it as ``….previous.safetensors``."""
    average = progress.average
    note = Note(
        run=run,
        stage=progress.stage,
        round=progress.round,
        first=average.first,
        averaged=average.count,
        cohorts=progress.cohorts or {},
        thresholds=progress.thresholds,
        recalibration=progress.recalibration,
        diary=progress.diary,
        seconds=progress.seconds,
    ).model_dump_json()
    arrays = _Parts({WEIGHTS: progress.weights, SUMS: average.sums, LEARNERS: progress.learners})
    if path.exists():
        aside = previous_of(path).with_suffix(".part")
        aside.unlink(missing_ok=True)
        os.link(path, aside)  # so that there is a whole checkpoint at every moment
        os.replace(aside, previous_of(path))
    save_weights(path, arrays, {"digest": _digest(note, arrays), "progress": note})


def load_checkpoint(path: Path, run: RunKey) -> Progress | None:
    """Where a run stands; None if it never had a checkpoint. RunError if every copy is damaged.

    A run that goes on from the checkpoint before says so in its notes.
    """
    if not path.exists():
        return None
    if progress := _read(path, run):
        return progress
    progress = _read(previous_of(path), run)
    if progress is None:
        raise RunError(
            f"checkpoints/{path.name} is damaged or of another run, and the one before it is not whole either: put "
            "back a copy, or remove both; the run then begins anew, and hospitals send again what they have released"
        )
    where = f"stage {progress.stage}, round {progress.round}"
    progress.diary.notes.append(f"checkpoints/{path.name} was damaged: the run went on from the one before it, {where}")
    return progress


def previous_of(path: Path) -> Path:
    """Where the checkpoint before the last is kept."""
    return path.with_name(f"{path.stem}.previous.safetensors")


def _read(path: Path, run: RunKey) -> Progress | None:
    """A checkpoint if it is whole, unaltered, and of this run."""
    try:
        with safe_open(str(path), framework="numpy") as file:
            told = json.loads(file.metadata()["note"])
            arrays: Arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if told["digest"] != _digest(told["progress"], arrays):
            return None
        note = Note.model_validate_json(told["progress"])
    except (OSError, ValueError, KeyError, TypeError, SafetensorError):
        return None
    if note.run != run:
        return None
    sums = Spool[str](path.parent)
    sums.update(_part(arrays, SUMS))
    return Progress(
        weights=_part(arrays, WEIGHTS),
        learners=_part(arrays, LEARNERS),
        stage=note.stage,
        round=note.round,
        average=Averager(note.first, sums, note.averaged),
        cohorts=note.cohorts,
        thresholds=note.thresholds,
        recalibration=note.recalibration,
        diary=note.diary,
        seconds=note.seconds,
    )


def _part(arrays: Arrays, part: str) -> Arrays:
    return {name.removeprefix(f"{part}/"): values for name, values in arrays.items() if name.startswith(f"{part}/")}


def _digest(note: str, arrays: Mapping[str, Tensor]) -> str:
    return hashlib.sha256((weights_digest(arrays) + note).encode()).hexdigest()
