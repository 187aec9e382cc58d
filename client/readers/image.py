"""Reads one picture a patient from the hospital's folder, or several as channels."""

from collections.abc import Callable, Sequence

import torch

from client.readers.picture import UNREADABLE, load_picture
from client.readers.reading import (
    Case,
    Reader,
    Reading,
    Source,
    file_fault,
    matched_files,
    matching,
    named_files,
    one_file,
)
from shared.modalities.base import is_pattern
from shared.modalities.image import Image

NO_CHANNEL = "no such picture, the others left out"
SEVERAL = "more than one picture, the first taken"


def open_image(spec: Image, source: Source) -> Reader:
    """Reads (channels, height, width) in [0, 1] from the files that columns name, or the one that matches a pattern."""
    pattern = spec.paths[0]
    if not is_pattern(pattern):
        looks = [one_file(column, source.folder, lambda path: load_picture(path, spec)) for column in spec.paths]
        return Reader(lambda case: _stacked(spec, looks, case), UNREADABLE, named_files(spec.cells, source.folder))

    def first(case: Case) -> Reading:
        paths = matching(pattern, case, source.folder)
        if isinstance(paths, str):
            return Reading(None, (paths,))
        if not paths:
            return Reading(None)
        found = file_fault(paths[0], source.folder) or load_picture(paths[0], spec)
        faults = (SEVERAL,) if len(paths) > 1 else ()
        return Reading(None, (*faults, found)) if isinstance(found, str) else Reading(found, faults)

    return Reader(first, UNREADABLE, matched_files(pattern, source.folder))


def _stacked(spec: Image, looks: Sequence[Callable[[Case], Reading]], case: Case) -> Reading:
    """The pictures of all columns as channels; absent where one is, which is told where others are there."""
    found = [look(case) for look in looks]
    if faults := tuple(fault for one in found for fault in one.faults):
        return Reading(None, faults)
    there = [one.tensor for one in found if one.tensor is not None]
    if len(there) < len(found):
        missing = [column for column, one in zip(spec.paths, found, strict=True) if one.tensor is None]
        return Reading(None, tuple(f"{column}: {NO_CHANNEL}" for column in missing) if there else ())
    return Reading(torch.cat(there))
