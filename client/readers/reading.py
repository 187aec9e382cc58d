"""What a reader hands over for one patient: a tensor or nothing, and the faults it met."""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

NOT_FOUND = "file not found"
OUTSIDE = "path leaves the hospital's folder"


@dataclass(frozen=True)
class Reading:
    """One patient's modality; ``tensor`` is None if the patient lacks it.

    Faults are rules in words, without a value, a file's name or a patient's identifier, so that they can be counted.
    """

    tensor: Tensor | None
    faults: tuple[str, ...] = ()


def within(path: Path, folder: Path) -> bool:
    """Whether a path, after following every link, still lies inside the folder; a path that cannot be does not."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):
        return False
