"""A table: columns of ``patients.csv`` or of another table, scaled by declared ranges, never by the data."""

from typing import Literal

from pydantic import Field, model_validator

from shared.modalities.base import Input
from shared.sections import Section, duplicates


class Numeric(Section):
    """A number; ``range`` scales and checks it, ``missing`` lists the codes that mean "not recorded".

    ``scale = "none"`` takes it as it stands, where the hospital's table holds scaled numbers already.
    """

    range: tuple[float, float]
    scale: Literal["range", "none"] = "range"
    unit: str = ""
    missing: tuple[float, ...] = ()

    @model_validator(mode="after")
    def _ordered(self) -> "Numeric":
        if not self.range[0] < self.range[1]:
            raise ValueError(f"range must be [low, high] with low < high, got {list(self.range)}")
        return self


class Categorical(Section):
    """A word of a declared list; ``missing`` lists the words that mean "not recorded"."""

    values: tuple[str, ...] = Field(min_length=2)
    missing: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _distinct(self) -> "Categorical":
        if twice := duplicates([*self.values, *self.missing]):
            raise ValueError(f"each value may stand once, got {', '.join(twice)} again")
        return self


class Tabular(Input):
    """A patient is a vector: each number scaled to [-1, 1] and each category one-hot; a missing one is zeros
    and a one in its own missing indicator (``indicators = false`` leaves the indicators out)."""

    kind: Literal["tabular"]
    encoder: Literal["linear", "mlp"] = "linear"
    width: int = Field(default=1, ge=1, le=256)
    table: str = ""  # inside the site's folder, one row a patient, as of radiomics; by default patients.csv
    numeric: dict[str, Numeric] = {}
    categorical: dict[str, Categorical] = {}
    indicators: bool = True

    @model_validator(mode="after")
    def _has_columns(self) -> "Tabular":
        if not self.columns:
            raise ValueError("needs at least one numeric or categorical column")
        if twice := duplicates(self.columns):
            raise ValueError(f"each column may stand once, got {', '.join(twice)} again")
        return self

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
