"""A binary outcome: the words of a column that count as an event; the score is the log odds of an event."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from shared.outcomes.base import Floats, OutcomeSection, Target, Truth, whole, word


class Binary(OutcomeSection):
    """The words of ``column`` that count as an event, and those that do not.

    With kind "early-warning" a row is a moment in a patient's course (``unit.row``, ``unit.time``), and the event is
    one that begins within the next ``horizon`` hours.
    """

    kind: Literal["binary", "early-warning"]
    column: str
    positive: tuple[str, ...] = Field(min_length=1)
    negative: tuple[str, ...] = Field(min_length=1)
    horizon: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _apart(self) -> "Binary":
        if both := set(self.positive) & set(self.negative):
            raise ValueError(f"a value is positive or negative, not both: {', '.join(sorted(both))}")
        if (self.kind == "early-warning") != (self.horizon is not None):
            raise ValueError("an early warning, and nothing else, has a horizon in hours")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The outcome's column."""
        return (self.column,)

    @property
    def outputs(self) -> int:
        """One score: the log odds of an event."""
        return 1

    @property
    def phrase(self) -> str:
        """What is predicted, for readers of a report."""
        within = f" within {self.horizon:g} hours" if self.horizon else ""
        return f"{self.column} {' or '.join(self.positive)} against {' or '.join(self.negative)}{within}"

    def read(self, row: Mapping[str, str]) -> Truth | str:
        """1 for an event, 0 for none."""
        found = word(row[self.column], {**dict.fromkeys(self.positive, 1.0), **dict.fromkeys(self.negative, 0.0)})
        return found if isinstance(found, str) else (found,)

    def example(self, number: int) -> Truth:
        """Every second has the event."""
        return (float(number % 2),)

    def strata(self, truth: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """The two classes."""
        return truth[:, 0].astype(np.int64)

    def events(self, truth: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Who had the event."""
        return np.asarray(truth[:, 0] == 1)

    def targets(self, truth: Floats, scores: Floats) -> dict[str, Target]:
        """The outcome is the question."""
        return {"": whole(truth[:, 0], scores[:, 0])}
