"""A second endpoint: time to an event, by which the risk groups of a binary outcome's primary model are followed."""

import math
from collections.abc import Mapping

from pydantic import Field, model_validator

from shared.outcomes.base import Truth
from shared.outcomes.survival import Survival
from shared.sections import Section


class Endpoint(Section):
    """``cuts`` are the grid of times on which survival is told; what happens after the last is not looked at."""

    name: str = "survival"  # for readers, as "progression-free survival"
    time: str
    event: str
    positive: tuple[str, ...] = Field(min_length=1)
    negative: tuple[str, ...] = Field(min_length=1)
    cuts: tuple[float, ...] = Field(min_length=2, max_length=50)
    unit: str = ""

    @model_validator(mode="after")
    def _rising(self) -> "Endpoint":
        if list(self.cuts) != sorted(set(self.cuts)) or self.cuts[0] <= 0:
            raise ValueError(f"cuts must rise from above 0, got {list(self.cuts)}")
        return self

    @property
    def outcome(self) -> Survival:
        """As an outcome of its own, whose rules for time, event and cuts hold here."""
        values = self.model_dump(exclude={"name"})
        return Survival(**values, kind="survival", predicted_at="")

    @property
    def columns(self) -> tuple[str, str]:
        """Columns of ``patients.csv`` that are read, and that no model may see."""
        return self.time, self.event

    @property
    def grid(self) -> tuple[float, ...]:
        """Times from 0 over the cuts to the end of all observation."""
        return (0.0, *self.cuts, math.inf)

    def read(self, row: Mapping[str, str]) -> Truth | str:
        """Time and event (1, or 0 where censored) of a row, or the rule that it breaks."""
        return self.outcome.read(row)
