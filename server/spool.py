"""Arrays that wait on the server's disk instead of in its memory, in a file without a name gone with the process."""

import tempfile
import weakref
from collections.abc import Hashable, Iterator, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from shared.tensors import flat_bytes

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class _Place:
    start: int
    kind: np.dtype[Any]
    shape: tuple[int, ...]


class Spool(MutableMapping[Key, npt.NDArray[Any]]):
    """A mapping whose values are read from the disk when they are asked for; OSError where the disk is full.

    The file lies in ``folder``, as a folder for temporary files may be in memory. Nobody else can open it: what single
    hospitals sent is nowhere to be found after a crash.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 # as long as the mapping
        weakref.finalize(self, self._file.close)
        self._places: dict[Key, _Place] = {}
        self._end = 0

    def __setitem__(self, key: Key, values: npt.NDArray[Any]) -> None:
        place = self._places.get(key)
        if place is None or (place.kind, place.shape) != (values.dtype, values.shape):
            place = _Place(self._end, values.dtype, values.shape)
            self._end += values.nbytes
        self._file.seek(place.start)
        self._file.write(flat_bytes(values))
        self._places[key] = place

    def __getitem__(self, key: Key) -> npt.NDArray[Any]:
        place = self._places[key]
        return self.part(key, 0, int(np.prod(place.shape))).reshape(place.shape)

    def part(self, key: Key, start: int, stop: int) -> npt.NDArray[Any]:
        """Some of an array's values in C order, flat."""
        place = self._places[key]
        values = np.empty(stop - start, place.kind)
        self._file.seek(place.start + start * place.kind.itemsize)
        self._file.readinto(values.view(np.uint8).data)
        return values

    def __delitem__(self, key: Key) -> None:
        del self._places[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
