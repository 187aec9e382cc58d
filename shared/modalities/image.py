"""One picture a patient, or several as channels: PNG, JPEG or DICOM, as a radiograph or a photograph of the fundus."""

from typing import Literal

from pydantic import Field, model_validator

from shared.modalities.base import Input, is_pattern
from shared.modalities.networks import Network
from shared.modalities.weights import Digest


class Image(Input):
    """A patient is (channels, height, width) in [0, 1]; several columns of ``path`` are stacked, each a picture of
    ``shape``, and a patient who lacks one of them lacks the modality.

    ``window`` maps the values of a DICOM file (after its rescale slope, as HU) or of a 16-bit PNG; by default the
    DICOM's own window, without one its lowest and highest value, and a PNG's whole range of 16 bits.
    """

    kind: Literal["image"]
    encoder: Literal["filters", "wavelets", "cnn", "network"] = "filters"
    width: int = Field(default=1, ge=1, le=256)
    network: Network = "resnet18"  # of encoder "network"
    weights: Digest | None = None  # its pre-trained file
    path: str | tuple[str, ...] = Field(min_length=1)  # columns of patients.csv, or a pattern with {patient} or {row}
    size: tuple[int, int, int] = Field(alias="shape")
    window: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _sensible(self) -> "Image":
        channels, height, width = self.size
        if channels not in (1, 3) or not (16 <= height <= 2048 and 16 <= width <= 2048):
            raise ValueError(f"shape must be [1 or 3, height, width] of 16 to 2048 pixels, got {list(self.size)}")
        if not all(self.paths) or len(set(self.paths)) < len(self.paths):
            raise ValueError("path must name different columns")
        if len(self.paths) > 1 and any(is_pattern(path) for path in self.paths):
            raise ValueError("several pictures come from columns of patients.csv, not from a pattern")
        if self.window and not self.window[0] < self.window[1]:
            raise ValueError(f"window must be [low, high] with low < high, got {list(self.window)}")
        return self

    @property
    def paths(self) -> tuple[str, ...]:
        """Columns with the files' paths, or the pattern."""
        return (self.path,) if isinstance(self.path, str) else self.path

    @property
    def cells(self) -> list[str]:
        """Columns of ``patients.csv`` that are read."""
        return [path for path in self.paths if not is_pattern(path)]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one patient: (channels, height, width)."""
        channels, height, width = self.size
        return len(self.paths) * channels, height, width
