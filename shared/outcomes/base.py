"""What every outcome is: columns of the table that become a truth, and what a model's scores say about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from shared.missing import EMPTY
from shared.sections import Section

Floats = npt.NDArray[np.float64]
Truth = tuple[float, ...]
MISSING = "outcome missing"
UNKNOWN = "outcome not one of the study's values"


@dataclass(frozen=True)
class Target:
    """A yes-or-no question that an outcome answers: event (units,) 0 or 1, score (units,) log odds of the event.

    Units without an answer (a label that was not recorded, a time that was not reached) are left out: ``known`` (units
    of the cohort,) bool says who stayed.
    """

    event: Floats
    score: Floats
    known: npt.NDArray[np.bool_]


class OutcomeSection(Section):
    """An outcome; subclasses say what a row's truth is, (truths,) numbers, and what (outputs,) scores mean.

    ``proportional``: all outputs share one direction and differ by their intercepts, as in a cumulative link model.
    """

    predicted_at: str
    missing: Literal["exclude"] = "exclude"  # a unit without an outcome is left out, and counted

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of ``patients.csv`` that are read, and that no model may see."""
        raise NotImplementedError

    @property
    def outputs(self) -> int:
        """Scores a unit."""
        raise NotImplementedError

    @property
    def proportional(self) -> bool:
        """Whether the outputs share one direction."""
        return False

    @property
    def truths(self) -> int:
        """Numbers in a unit's truth."""
        return 1

    @property
    def phrase(self) -> str:
        """What is predicted, for readers of a report."""
        raise NotImplementedError

    def read(self, row: Mapping[str, str]) -> Truth | str:
        """A row's truth, or the rule by which the row is left out."""
        raise NotImplementedError

    def example(self, number: int) -> Truth:
        """A possible truth, another one for another number: for probes on invented patients."""
        raise NotImplementedError

    def strata(self, truth: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """The group of each unit, (units,), in each of which a split takes the same share."""
        return np.zeros(len(truth), dtype=np.int64)

    def events(self, truth: npt.NDArray[Any]) -> npt.NDArray[np.bool_] | None:
        """Who had the event, (units,); None where the outcome is no event."""
        return None

    @property
    def nested(self) -> bool:
        """Whether the answers to one question narrow those to another, so that their counts can be subtracted."""
        return False

    def targets(self, truth: Floats, scores: Floats) -> dict[str, Target]:
        """Yes-or-no questions by name, "" for the outcome itself; truth (units, truths), scores (units, outputs)."""
        return {}

    def measures(self, truth: Floats, scores: Floats) -> dict[str, float]:
        """Figures of the outcome as a whole, by name, beside those of its questions."""
        return {}


def word(text: str, words: Mapping[str, float]) -> float | str:
    """The number that a cell's word stands for, or the rule that it breaks."""
    text = text.strip()
    if text in words:
        return words[text]
    return MISSING if text.lower() in EMPTY else UNKNOWN


def number(text: str, low: float, high: float) -> float | str:
    """A cell's number inside [low, high], or the rule that it breaks."""
    if text.strip().lower() in EMPTY:
        return MISSING
    try:
        value = float(text)
    except ValueError:
        return "outcome not a number"
    return value if low <= value <= high else "outcome outside its declared range"


def whole(event: Floats, score: Floats) -> Target:
    """A question that every unit answers."""
    return Target(event, score, np.ones(len(event), dtype=np.bool_))
