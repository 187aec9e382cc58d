"""Reads one picture a patient from the hospital's folder."""

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

SEVERAL = "more than one picture, the first taken"


def open_image(spec: Image, source: Source) -> Reader:
    """Reads (channels, height, width) in [0, 1] from the file that a column names or that matches a pattern."""
    if not is_pattern(spec.path):
        look = one_file(spec.path, source.folder, lambda path: load_picture(path, spec))
        return Reader(look, UNREADABLE, named_files([spec.path], source.folder))

    def first(case: Case) -> Reading:
        paths = matching(spec.path, case, source.folder)
        if isinstance(paths, str):
            return Reading(None, (paths,))
        if not paths:
            return Reading(None)
        found = file_fault(paths[0], source.folder) or load_picture(paths[0], spec)
        faults = (SEVERAL,) if len(paths) > 1 else ()
        return Reading(None, (*faults, found)) if isinstance(found, str) else Reading(found, faults)

    return Reader(first, UNREADABLE, matched_files(spec.path, source.folder))
