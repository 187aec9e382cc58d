"""Reads one patient's pictures from the hospital's folder, in the order of their names."""

from pathlib import Path

import torch
from torch import Tensor

from client.readers.picture import UNREADABLE, load_picture
from client.readers.reading import Case, Reader, Reading, Source, file_fault, matched_files, matching
from shared.modalities.bag import Bag


def open_bag(spec: Bag, source: Source) -> Reader:
    """Reads (items, channels, height, width) in [0, 1]; places without a picture are zeros.

    The files are those that match ``spec.path`` with the identifier in it; none means that the patient was not
    examined. A bad picture is left out, and the reading names the rule.
    """

    def look(case: Case) -> Reading:
        paths = matching(spec.path, case, source.folder)
        if isinstance(paths, str):
            return Reading(None, (paths,))
        faults = [f"more than {spec.items} pictures, the first {spec.items} taken"] if len(paths) > spec.items else []
        pictures = []
        for path in paths[: spec.items]:
            picture = _load(path, spec, source.folder)
            if isinstance(picture, str):
                faults.append(picture)
            else:
                pictures.append(picture)
        if not pictures:
            return Reading(None, tuple(faults))
        tensor = torch.zeros(spec.shape)
        tensor[: len(pictures)] = torch.stack(pictures)
        return Reading(tensor, tuple(faults))

    return Reader(look, UNREADABLE, matched_files(spec.path, source.folder))


def _load(path: Path, spec: Bag, folder: Path) -> Tensor | str:
    """A picture, or the rule that its file breaks."""
    try:
        return file_fault(path, folder) or load_picture(path, spec)
    except Exception:
        return UNREADABLE
