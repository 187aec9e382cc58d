"""A three-dimensional picture: computed tomography as one NIfTI file a patient."""

from typing import Literal

from pydantic import Field, model_validator

from shared.modalities.networks import Network
from shared.modalities.weights import Digest
from shared.sections import Positive, Section


class Volume(Section):
    """A patient is (1, *shape): resampled to ``spacing`` (mm), cropped or padded to ``shape`` (voxels, right,
    anterior, superior), and ``window`` (Hounsfield units) mapped to [0, 1]."""

    kind: Literal["volume"]
    encoder: Literal["filters", "wavelets", "cnn", "network"] = "filters"
    width: int = Field(default=1, ge=1, le=256)
    network: Network = "resnet10"  # of encoder "network"
    weights: Digest | None = None  # its pre-trained file
    path: str = Field(min_length=1)  # column of patients.csv with the file's path inside the site's folder
    spacing: tuple[Positive, Positive, Positive]
    size: tuple[int, int, int] = Field(alias="shape")
    window: tuple[float, float]

    @model_validator(mode="after")
    def _sensible(self) -> "Volume":
        if not self.window[0] < self.window[1]:
            raise ValueError(f"window must be [low, high] with low < high, got {list(self.window)}")
        if not all(8 <= side <= 512 for side in self.size):
            raise ValueError(f"shape must be three sides of 8 to 512 voxels, got {list(self.size)}")
        return self

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one patient: (1, x, y, z)."""
        return (1, *self.size)
