"""Reads one patient's pictures from the hospital's folder: PNG or JPEG, in the order of their names."""

import warnings
from collections.abc import Mapping
from glob import escape
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from client.readers.reading import OUTSIDE, Reading, within
from shared.modalities.bag import Bag

UNREADABLE = "picture is truncated or not readable"
BAD_NAME = "patient's identifier cannot be part of a path"
COLOURS = {1: "L", 3: "RGB"}


def read_bag(spec: Bag, row: Mapping[str, str], patient: str, folder: Path) -> Reading:
    """One patient's tensor (items, channels, height, width) in [0, 1]; places without a picture are zeros.

    The files are those that match ``spec.path`` with the identifier in it; none means that the patient was not
    examined. Never raises for a bad picture: it is left out, and the reading names the rule.
    """
    if not _plain(patient):
        return Reading(None, (BAD_NAME,))
    pattern = Path(spec.path.replace("{patient}", escape(patient)))
    if pattern.is_absolute() or ".." in pattern.parts:
        return Reading(None, (OUTSIDE,))
    paths = sorted(folder.glob(str(pattern)))
    faults = [f"more than {spec.items} pictures, the first {spec.items} taken"] if len(paths) > spec.items else []
    pictures = []
    for path in paths[: spec.items]:
        picture = _load(path, spec) if within(path, folder) else OUTSIDE
        if isinstance(picture, str):
            faults.append(picture)
        else:
            pictures.append(picture)
    if not pictures:
        return Reading(None, tuple(faults))
    tensor = torch.zeros(spec.shape)
    tensor[: len(pictures)] = torch.stack(pictures)
    return Reading(tensor, tuple(faults))


def _plain(patient: str) -> bool:
    """Whether an identifier is a single name of a file system."""
    return bool(patient.strip()) and patient not in (".", "..") and not set(patient) & {"/", "\\", "\0"}


def _load(path: Path, spec: Bag) -> Tensor | str:
    """A picture (channels, height, width) in [0, 1], or the rule that its file breaks."""
    from PIL import Image

    channels, height, width = spec.size
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                picture = image.convert(COLOURS[channels]).resize((width, height), Image.Resampling.BILINEAR)
    except Exception:
        return UNREADABLE
    values = np.asarray(picture, dtype=np.float32).reshape(height, width, channels) / 255
    return torch.from_numpy(values).permute(2, 0, 1)
