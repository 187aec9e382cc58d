"""Measurements over time, as laboratory values and vital signs: a long table with a row for each measurement."""

from typing import Literal

from pydantic import Field

from shared.modalities.base import Input
from shared.modalities.tabular import Numeric
from shared.sections import Positive, Section

CHANNELS = ("mean", "lowest", "highest", "observed")


class SeriesColumns(Section):
    """Names of the long table's columns; ``time`` is in hours, on the clock of ``unit.time``."""

    patient: str = "patient_id"
    time: str = "time"
    variable: str = "variable"
    value: str = "value"


class Series(Input):
    """A patient is (steps, variables, 4): in each of ``steps`` equal parts of the last ``hours`` before the prediction
    the mean, lowest and highest value, scaled to [-1, 1] by the declared range, and whether any was observed."""

    kind: Literal["series"]
    encoder: Literal["window-statistics", "bilstm", "gru"] = "window-statistics"
    width: int = Field(default=1, ge=1, le=256)
    table: str = Field(default="labs.csv", min_length=1)  # inside the site's folder
    columns: SeriesColumns = SeriesColumns()
    variables: dict[str, Numeric] = Field(min_length=1)
    hours: Positive
    steps: int = Field(ge=1, le=10_000)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one patient: (steps, variables, channels)."""
        return (self.steps, len(self.variables), len(CHANNELS))
