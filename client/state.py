"""The hospital's state folder: private to its owner, and written so that a crash leaves the old or the new."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LEDGER, EGRESS, APPROVALS = "ledger.jsonl", "egress.jsonl", "approvals.jsonl"  # what lies in it
OUTBOX, CACHE = "outbox", "cache"
AGENT_LOCK, JOIN_LOCK = "agent.lock", "join.lock"  # held by the processes of a hospital


def kept_copy(folder: Path, digest: str) -> Path:
    """The file of a release in a state folder's outbox."""
    return folder / OUTBOX / f"{digest}.safetensors"


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner may enter."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def only_one(folder: Path, name: str) -> int | None:
    """Take a lock that is held until this process ends, or None where another process has it; returns its handle.

    The file holds the number of the process that has it.
    """
    handle = os.open(private_folder(folder) / name, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    os.truncate(handle, 0)
    os.pwrite(handle, str(os.getpid()).encode(), 0)
    return handle


def holder(folder: Path, name: str) -> int | None:
    """The process that holds a lock of ``only_one``; None if none does."""
    try:
        handle = os.open(folder / name, os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.pread(handle, 20, 0) or b"0") or None
    else:
        return None
    finally:
        os.close(handle)


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


def cut_synced(path: Path, size: int) -> None:
    """Cut a file to its first ``size`` bytes, which needs no room on a full disk."""
    handle = os.open(path, os.O_WRONLY)
    try:
        os.ftruncate(handle, size)
        os.fsync(handle)
    finally:
        os.close(handle)


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
