"""A table: columns of ``patients.csv`` or of another table, scaled by declared ranges, never by the data."""

from math import log
from typing import Literal

from pydantic import Field, model_validator

from shared.modalities.base import Input
from shared.sections import Section, duplicates


class Numeric(Section):
    """A number; ``range`` scales and checks it, ``missing`` lists the codes that mean "not recorded".

    ``scale = "log"`` scales its logarithm, as of laboratory values most of which lie close to the low end of what
    occurs; "none" takes it as it stands, where the hospital's table holds scaled numbers already. ``fill`` is a mean
    from the literature, never from the data, that stands for a missing one.
    """

    range: tuple[float, float]
    scale: Literal["range", "log", "none"] = "range"
    unit: str = ""
    missing: tuple[float, ...] = ()
    fill: float | None = None

    @model_validator(mode="after")
    def _ordered(self) -> "Numeric":
        low, high = self.range
        if not low < high:
            raise ValueError(f"range must be [low, high] with low < high, got {list(self.range)}")
        if self.scale == "log" and low <= 0:
            raise ValueError(f"a logarithm needs a range above zero, got {list(self.range)}")
        if self.fill is not None and not low <= self.fill <= high:
            raise ValueError(f"fill must lie in the range {list(self.range)}, got {self.fill:g}")
        return self

    def scaled(self, number: float) -> float:
        """A number of the table as the model takes it: [-1, 1] over the declared range."""
        low, high = self.range
        if self.scale == "log":
            return 2 * log(number / low) / log(high / low) - 1
        return number if self.scale == "none" else 2 * (number - low) / (high - low) - 1


class Categorical(Section):
    """A word of a declared list; ``missing`` lists those that mean "not recorded", ``fill`` stands for one missing."""

    values: tuple[str, ...] = Field(min_length=2)
    missing: tuple[str, ...] = ()
    fill: str | None = None

    @model_validator(mode="after")
    def _distinct(self) -> "Categorical":
        if twice := duplicates([*self.values, *self.missing]):
            raise ValueError(f"each value may stand once, got {', '.join(twice)} again")
        if self.fill is not None and self.fill not in self.values:
            raise ValueError(f"fill must be one of the values, got {self.fill}")
        return self


class Selection(Section):
    """How many columns a model may read, and by what they are chosen from training patients, in each run anew."""

    by: Literal["mutual-information", "correlation", "lasso"]
    keep: int = Field(ge=1)


class Tabular(Input):
    """A patient is a vector: each number scaled to [-1, 1] and each category one-hot; a missing one is zeros
    and a one in its own missing indicator (``indicators = false`` leaves the indicators out).

    With ``imputation = "declared"`` the declared ``fill`` of a column stands in place of the zeros; with "forest" what
    a forest expects that each hospital grows on its own training patients, and ``fill`` where there are none.
    ``select`` keeps a part of the columns; the others are read, and stay zero in the model.
    """

    kind: Literal["tabular"]
    encoder: Literal["linear", "mlp"] = "linear"
    width: int = Field(default=1, ge=1, le=256)
    table: str = ""  # inside the site's folder, one row a patient, as of radiomics; by default patients.csv
    numeric: dict[str, Numeric] = {}
    categorical: dict[str, Categorical] = {}
    indicators: bool = True
    imputation: Literal["indicator", "declared", "forest"] = "indicator"
    select: Selection | None = None

    @model_validator(mode="after")
    def _has_columns(self) -> "Tabular":
        if not self.columns:
            raise ValueError("needs at least one numeric or categorical column")
        if twice := duplicates(self.columns):
            raise ValueError(f"each column may stand once, got {', '.join(twice)} again")
        return self

    @model_validator(mode="after")
    def _selectable(self) -> "Tabular":
        if self.select and self.select.keep >= len(self.columns):
            raise ValueError(f"select keeps fewer than all {len(self.columns)} columns, got {self.select.keep}")
        return self

    @model_validator(mode="after")
    def _imputable(self) -> "Tabular":
        if self.imputation == "declared" and self.unfilled:
            raise ValueError(f'imputation = "declared" needs a fill of every column, not of {", ".join(self.unfilled)}')
        if self.imputation == "indicator" and len(self.unfilled) < len(self.columns):
            raise ValueError('a fill is used with imputation = "declared" or "forest"')
        if self.imputation == "forest" and not self.indicators:
            raise ValueError('imputation = "forest" knows what is missing by the indicators: keep them')
        return self

    @property
    def unfilled(self) -> list[str]:
        """Columns without a declared fill."""
        numbers = [name for name, column in self.numeric.items() if column.fill is None]
        return numbers + [name for name, column in self.categorical.items() if column.fill is None]

    @property
    def columns(self) -> list[str]:
        """Columns of the table that are read, in the order of the vector."""
        return [*self.numeric, *self.categorical]

    @property
    def cells(self) -> list[str]:
        """Columns of ``patients.csv`` that are read."""
        return [] if self.table else self.columns

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one patient: (features,)."""
        features = len(self.numeric) + sum(len(column.values) for column in self.categorical.values())
        return (features + (len(self.columns) if self.indicators else 0),)
