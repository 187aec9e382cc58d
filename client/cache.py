"""Prepared tensors on the disk, in the hospital's state folder: read once, memory-mapped, checked at every start."""

import json
import os
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from client.front_end import Prepared
from client.state import private_folder, write_synced

UNUSED = 30 * 24 * 3600.0  # seconds after which what no study asked for is removed
Values = npt.NDArray[Any]


@dataclass(frozen=True)
class Row:
    """One patient in the cache: what it was made from, whether he has the modality, its check sum, rules broken."""

    fingerprint: str
    present: bool
    checksum: int
    faults: tuple[str, ...]


NO_ROW = Row("", False, 0, ())


@dataclass(frozen=True)
class Shelf:
    """One modality as one study prepares it: a file of values, and an index with a row for each patient."""

    folder: Path
    name: str

    def gathered(
        self, fingerprints: Sequence[str], nothing: Values, read: Callable[[list[int]], Iterator[Prepared]]
    ) -> tuple[Values, list[Row]]:
        """Values (patients, *shape), mapped from the disk, and their rows, in the order of the fingerprints.

        What is there and whole is taken; ``read`` gives the patients at the places that are missing, in order. What was
        read before an interruption is kept.
        """
        kept = self._kept(nothing)
        if kept and [row.fingerprint for row in kept[1]] == list(fingerprints):
            for file in (self._values, self._index):
                os.utime(file)
            return kept
        part, values = self._new_file(len(fingerprints), nothing)
        rows: list[Row | None] = [None] * len(fingerprints)
        if kept:
            _take(kept, fingerprints, values, rows)
        missing = [place for place, row in enumerate(rows) if row is None]
        try:
            for place, found in zip(missing, read(missing), strict=True):
                values[place] = nothing if found.values is None else found.values
                checksum = zlib.crc32(values[place].tobytes())
                rows[place] = Row(fingerprints[place], found.values is not None, checksum, found.faults)
        finally:
            self._replace(part, values, rows)
        return self._mapped(), [row for row in rows if row]

    @property
    def _values(self) -> Path:
        return self.folder / f"{self.name}.npy"

    @property
    def _index(self) -> Path:
        return self.folder / f"{self.name}.json"

    def _new_file(self, patients: int, nothing: Values) -> tuple[Path, Values]:
        """A file of values that is filled before it takes its place."""
        private_folder(self.folder)
        self._tidy()
        part = self.folder / f"{self.name}.{os.getpid()}.part"
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        shape = (patients, *nothing.shape)
        return part, np.lib.format.open_memmap(part, mode="w+", dtype=nothing.dtype, shape=shape)

    def _replace(self, part: Path, values: Any, rows: Sequence[Row | None]) -> None:
        values.flush()
        os.replace(part, self._values)
        index = [[row.fingerprint, row.present, row.checksum, row.faults] if row else None for row in rows]
        write_synced(self._index, json.dumps(index).encode())

    def _mapped(self) -> Values:
        """The values as the disk holds them; what is written to them stays in memory."""
        values: Values = np.load(self._values, mmap_mode="c", allow_pickle=False)
        return values

    def _kept(self, nothing: Values) -> tuple[Values, list[Row]] | None:
        """What is on the disk; a row that is damaged has no fingerprint, and all is as if absent where nothing fits."""
        try:
            values = self._mapped()
            given = json.loads(self._index.read_bytes())
            if values.shape != (len(given), *nothing.shape) or values.dtype != nothing.dtype:
                return None
            rows = [Row(entry[0], entry[1], entry[2], tuple(entry[3])) if entry else NO_ROW for entry in given]
        except (OSError, ValueError, TypeError, EOFError, LookupError):
            return None
        whole = [zlib.crc32(value.tobytes()) == row.checksum for value, row in zip(values, rows, strict=True)]
        return values, [row if good else NO_ROW for row, good in zip(rows, whole, strict=True)]

    def _tidy(self) -> None:
        """Remove what was not used for a month, as of earlier studies and versions."""
        for file in self.folder.iterdir():
            if file.stat().st_mtime < time.time() - UNUSED:
                file.unlink(missing_ok=True)


def _take(kept: tuple[Values, list[Row]], fingerprints: Sequence[str], values: Values, rows: list[Row | None]) -> None:
    """Copy the patients that are unchanged into their new places."""
    old, known = kept
    places = {row.fingerprint: place for place, row in enumerate(known) if row.fingerprint}
    for place, fingerprint in enumerate(fingerprints):
        if (before := places.get(fingerprint)) is not None:
            values[place], rows[place] = old[before], known[before]
