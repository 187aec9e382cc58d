"""Reads one patient's sequence of grids from a NumPy file; pickled objects are never loaded."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from client.readers.reading import MOST_BYTES, TOO_LARGE, Reader, Source, named_files, one_file
from shared.modalities.grid import Grid

UNREADABLE = "file is truncated or not a NumPy array of numbers"
SEVERAL = "file does not hold exactly one array"
WRONG_SHAPE = "array is not (frames, channels, height, width) as declared"
NOT_FINITE = "array holds values that are not finite"


def open_grid(spec: Grid, source: Source) -> Reader:
    """Reads (frames, channels, height, width) in [0, 1]: the last frames; missing early ones are zeros."""

    def load(path: Path) -> Tensor | str:
        values = _array(path)
        if isinstance(values, str):
            return values
        if values.dtype.kind not in "biuf":
            return UNREADABLE
        if values.ndim != 4 or tuple(values.shape[1:]) != spec.size or not len(values):
            return WRONG_SHAPE
        last = np.asarray(values[-spec.frames :]).astype(np.float32)
        if not np.isfinite(last).all():
            return NOT_FINITE
        low, high = spec.range
        tensor = torch.zeros(spec.shape)
        tensor[-len(last) :] = torch.from_numpy((last - low) / (high - low)).clamp(0, 1)
        return tensor

    return Reader(one_file(spec.path, source.folder, load), UNREADABLE, named_files([spec.path], source.folder))


def _array(path: Path) -> Any:
    """The file's array, of an .npy without reading it whole; or the rule that it breaks."""
    if not zipfile.is_zipfile(path):
        return np.lib.format.open_memmap(path, mode="r")  # refuses objects, which would be pickles
    with zipfile.ZipFile(path) as parts:
        inside = parts.infolist()
    if len(inside) != 1:
        return SEVERAL
    if inside[0].file_size > MOST_BYTES:
        return TOO_LARGE
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        return archive[archive.files[0]]
