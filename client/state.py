"""The hospital's state folder: private to its owner, and written so that a crash leaves the old or the new."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LEDGER, EGRESS, OUTBOX, CACHE = "ledger.jsonl", "egress.jsonl", "outbox", "cache"  # what lies in it


def kept_copy(folder: Path, digest: str) -> Path:
    """The file of a release in a state folder's outbox."""
    return folder / OUTBOX / f"{digest}.safetensors"


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner may enter."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a state folder until the end of the block; a second process waits."""
    handle = os.open(private_folder(folder) / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)  # and with it the lock


def write_synced(path: Path, content: bytes) -> None:
    """Write a file that is on the disk, whole, when this returns; readable by its owner only."""
    temporary = path.with_name(f"{path.name}.part")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    _sync_folder(path.parent)


def append_synced(path: Path, line: str) -> None:
    """Append a line that is on the disk when this returns."""
    new = not path.exists()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{line}\n")
        file.flush()
        os.fsync(file.fileno())
    if new:
        _sync_folder(path.parent)


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
