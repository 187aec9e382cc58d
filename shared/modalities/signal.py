"""A recorded wave of several leads, as an electrocardiogram: WFDB, a DICOM waveform, or a CSV of samples."""

from typing import Literal

from pydantic import Field, model_validator

from shared.modalities.base import Input
from shared.sections import Positive, duplicates


class Signal(Input):
    """A patient is (leads, samples): the first ``seconds``, resampled to ``rate`` Hz, ``range`` (in ``unit``) mapped to
    [-1, 1] and clipped; a shorter record ends in zeros, a lead that is absent is zeros."""

    kind: Literal["signal"]
    encoder: Literal["beat-shape", "resnet1d", "resnet1d-transformer"] = "beat-shape"
    width: int = Field(default=1, ge=1, le=256)
    path: str = Field(min_length=1)  # column of patients.csv with the record's path inside the site's folder
    leads: tuple[str, ...] = Field(min_length=1)
    rate: Positive
    seconds: Positive
    range: tuple[float, float] = (-5.0, 5.0)
    unit: str = "mV"  # of the range; V, mV and uV are converted, and "" takes every file's numbers as they are

    @model_validator(mode="after")
    def _sensible(self) -> "Signal":
        if twice := duplicates(self.leads):
            raise ValueError(f"each lead may stand once, got {', '.join(twice)} again")
        if not self.range[0] < self.range[1]:
            raise ValueError(f"range must be [low, high] with low < high, got {list(self.range)}")
        if not 8 <= self.rate * self.seconds <= 1_000_000:
            raise ValueError("rate times seconds must be 8 to 1,000,000 samples")
        return self

    @property
    def cells(self) -> list[str]:
        """Columns of ``patients.csv`` that are read."""
        return [self.path]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one patient: (leads, samples)."""
        return (len(self.leads), round(self.rate * self.seconds))
