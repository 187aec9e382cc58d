"""A sequence of grids, as radar frames before a forecast: one NumPy file a patient."""

from typing import Literal

from pydantic import Field, model_validator

from shared.modalities.base import Input


class Grid(Input):
    """A patient is (frames, channels, height, width): the last ``frames``, ``range`` mapped to [0, 1] and clipped;
    missing early frames are zeros."""

    kind: Literal["grid"]
    encoder: Literal["pooling", "convlstm"] = "pooling"
    width: int = Field(default=1, ge=1, le=256)
    path: str = Field(min_length=1)  # column of patients.csv; an .npy or .npz (frames, channels, height, width)
    frames: int = Field(ge=1, le=1000)
    size: tuple[int, int, int] = Field(alias="shape")
    range: tuple[float, float]

    @model_validator(mode="after")
    def _sensible(self) -> "Grid":
        channels, height, width = self.size
        if not (1 <= channels <= 64 and 2 <= height <= 512 and 2 <= width <= 512):
            raise ValueError(
                f"shape must be [channels, height, width] of at most 64, 512 and 512, got {list(self.size)}"
            )
        if not self.range[0] < self.range[1]:
            raise ValueError(f"range must be [low, high] with low < high, got {list(self.range)}")
        return self

    @property
    def cells(self) -> list[str]:
        """Columns of ``patients.csv`` that are read."""
        return [self.path]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one patient: (frames, channels, height, width)."""
        return (self.frames, *self.size)
