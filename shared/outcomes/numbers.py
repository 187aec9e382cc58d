"""Outcomes that are numbers: one value, or a forecast over several horizons."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from shared.outcomes.base import Floats, OutcomeSection, Truth, number
from shared.sections import Name


class Numbers(OutcomeSection):
    """Numbers of a declared range, which scales them: a score of -1 is its low and of 1 its high end."""

    range: tuple[float, float]
    unit: str = ""

    @model_validator(mode="after")
    def _ordered(self) -> "Numbers":
        if not self.range[0] < self.range[1]:
            raise ValueError(f"range must be [low, high] with low < high, got {list(self.range)}")
        return self

    @property
    def outputs(self) -> int:
        """A score for each number."""
        return len(self.columns)

    @property
    def truths(self) -> int:
        """The numbers, scaled to [-1, 1]."""
        return len(self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """What is added to a figure's name for each number."""
        return ("",)

    @property
    def scale(self) -> float:
        """Units of the outcome per unit of a score."""
        return (self.range[1] - self.range[0]) / 2

    def read(self, row: Mapping[str, str]) -> Truth | str:
        """Each number, scaled to [-1, 1]."""
        low, high = self.range
        found = [number(row[column], low, high) for column in self.columns]
        if wrong := [rule for rule in found if isinstance(rule, str)]:
            return wrong[0]
        return tuple((float(value) - low) / self.scale - 1 for value in found)

    def example(self, number: int) -> Truth:
        """Numbers all over the range."""
        return tuple((number * 7 + place * 3) % 11 / 5.5 - 1 for place in range(len(self.columns)))

    def measures(self, truth: Floats, scores: Floats) -> dict[str, float]:
        """Mean absolute and root mean squared error in the outcome's unit, R squared, slope; each by horizon."""
        from shared.metrics.regression import RegressionTally  # here, as it waits for scipy

        found: dict[str, float] = {}
        for place, name in enumerate(self.names):
            tally = RegressionTally.of(truth[:, place], scores[:, place])
            found[f"mae{name}"], found[f"rmse{name}"] = tally.mae * self.scale, tally.rmse * self.scale
            if tally.r2 is not None:
                found[f"r2{name}"] = tally.r2
            if tally.line is not None:
                found[f"calibration_slope{name}"] = tally.line[1]
        return found


class Regression(Numbers):
    """One number."""

    kind: Literal["regression"]
    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The outcome's column."""
        return (self.column,)

    @property
    def phrase(self) -> str:
        """What is predicted, for readers of a report."""
        return f"{self.column}{f' in {self.unit}' if self.unit else ''}"


class Forecast(Numbers):
    """A number at several horizons, a column each."""

    kind: Literal["forecast"]
    horizons: dict[Name, str] = Field(min_length=2)  # column by horizon, as {"30-min" = "level_30"}

    @property
    def columns(self) -> tuple[str, ...]:
        """A column for each horizon."""
        return tuple(self.horizons.values())

    @property
    def names(self) -> tuple[str, ...]:
        """The horizons."""
        return tuple(f".{name}" for name in self.horizons)

    @property
    def phrase(self) -> str:
        """What is predicted, for readers of a report."""
        return f"{', '.join(self.horizons)} ahead{f' in {self.unit}' if self.unit else ''}"
