"""Files that are on the server's disk whole, or not at all, whatever moment a crash takes."""

import os
from collections.abc import Iterable
from pathlib import Path


def write_whole(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file that is on the disk when this returns; before that, the old one stands."""
    write_blocks(path, [content], mode)


def write_blocks(path: Path, blocks: Iterable[bytes | memoryview], mode: int = 0o644) -> None:
    """The same of a file that is not in memory as a whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.part")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        file.writelines(blocks)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """A name in a folder survives a power cut only after this."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
