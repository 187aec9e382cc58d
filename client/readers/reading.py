"""What readers share: a patient's case, the hospital's source, a reading with its faults, and the rules of paths."""

import logging
import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path

from torch import Tensor

from client.harmonization import Rules
from shared.errors import SiteError
from shared.modalities.base import WHOSE

NOT_FOUND = "file not found"
OUTSIDE = "path leaves the hospital's folder"
TOO_LARGE = "file is larger than 2 GB"
BAD_NAME = "identifier cannot be part of a path"
NO_TABLE = "its table is not in the folder"
MOST_BYTES = 2**31
TALKATIVE = ("pydicom", "nibabel", "nibabel.global", "PIL", "wfdb")  # libraries that log what they meet in a file


@dataclass(frozen=True)
class Case:
    """What is read for: a patient, the row of ``patients.csv``, and the time of the prediction in hours."""

    patient: str
    row: Mapping[str, str]
    time: float = math.inf  # no such time: everything in the folder was there before the prediction
    key: str = ""  # of the row, where a patient may have several


@dataclass(frozen=True)
class Source:
    """Where a hospital's files are, and how its tables are written."""

    folder: Path
    encoding: str = "utf-8"
    patient: str = "patient_id"  # the study's column with the patient
    timed: bool = False  # whether the study has a time of prediction, so that tables need their times
    harmonization: Mapping[str, Rules] = field(default_factory=dict)  # of the hospital's tables, by name


@dataclass(frozen=True)
class Reading:
    """One patient's modality; ``tensor`` is None if the patient lacks it.

    Faults are rules in words, without a value, a file's name or a patient's identifier, so that they can be counted.
    """

    tensor: Tensor | None
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reader:
    """A modality opened at one hospital.

    ``look`` reads one case and may raise; ``files`` are those that a reading depends on, beside cells of
    ``patients.csv``, or None where it is read in no time and not worth keeping. ``own_index`` says that a table was
    indexed, which another process would have to do again.
    """

    look: Callable[[Case], Reading]
    unreadable: str  # the rule that a file breaks where reading it raises
    files: Callable[[Case], list[Path]] | None = None
    own_index: bool = False
    lines: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # lines of a table by the rule they break

    def read(self, case: Case) -> Reading:
        """One patient's modality; a bad file never raises. SiteError where a whole table cannot be used."""
        try:
            with quiet():
                return self.look(case)
        except SiteError:
            raise
        except Exception:
            return Reading(None, (self.unreadable,))


@contextmanager
def quiet() -> Iterator[None]:
    """Libraries neither warn nor log, since both can hold a patient's value; a decompression bomb is an error."""
    from PIL import Image

    for name in TALKATIVE:
        if (logger := logging.getLogger(name)).level <= logging.CRITICAL:  # setting it empties every logger's cache
            logger.setLevel(logging.CRITICAL + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def within(path: Path, folder: Path) -> bool:
    """Whether a path, after following every link, still lies inside the folder; a path that cannot be does not."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):
        return False


def path_in(case: Case, column: str, folder: Path) -> Path | None:
    """The path in a cell, None where the cell is empty; it need not exist, and may lie outside."""
    name = case.row.get(column, "").strip()
    return folder / name if name else None


def file_fault(path: Path, folder: Path) -> str:
    """The rule that a path breaks before the file is opened, or nothing."""
    if not within(path, folder):
        return OUTSIDE
    try:
        if not path.is_file():  # raises where a name is longer than the system allows
            return NOT_FOUND
        return TOO_LARGE if path.stat().st_size > MOST_BYTES else ""
    except OSError:
        return NOT_FOUND


def matching(pattern: str, case: Case, folder: Path) -> list[Path] | str:
    """Files that match a pattern with the patient's or the row's identifier in it, by name; or the rule broken."""
    names = {"patient": case.patient, "row": case.key or case.patient}
    whose = next(names[name] for name in WHOSE.findall(pattern))
    if not whose.strip() or whose in (".", "..") or set(whose) & {"/", "\\", "\0"}:
        return BAD_NAME
    filled = Path(WHOSE.sub(lambda _: escape(whose), pattern))
    if filled.is_absolute() or ".." in filled.parts:
        return OUTSIDE
    return sorted(folder.glob(str(filled)))


def matched_files(pattern: str, folder: Path) -> Callable[[Case], list[Path]]:
    """What a pattern's readings depend on."""

    def files(case: Case) -> list[Path]:
        found = matching(pattern, case, folder)
        return found if isinstance(found, list) else []

    return files


def one_file(column: str, folder: Path, load: Callable[[Path], Tensor | str]) -> Callable[[Case], Reading]:
    """A look at the one file that a column names; ``load`` gives its tensor, or the rule that it breaks."""

    def look(case: Case) -> Reading:
        path = path_in(case, column, folder)
        if path is None:
            return Reading(None)
        if fault := file_fault(path, folder):
            return Reading(None, (fault,))
        found = load(path)
        return Reading(None, (found,)) if isinstance(found, str) else Reading(found)

    return look


def named_files(columns: list[str], folder: Path) -> Callable[[Case], list[Path]]:
    """What readings of the files in columns depend on."""
    return lambda case: [path for column in columns if (path := path_in(case, column, folder))]
