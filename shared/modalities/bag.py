"""Several pictures of one patient, in no order: endoscopy as PNG, JPEG or DICOM files."""

from typing import Literal

from pydantic import Field, model_validator

from shared.modalities.base import Input, is_pattern
from shared.modalities.networks import Network
from shared.modalities.weights import Digest


class Bag(Input):
    """A patient is (items, channels, height, width) in [0, 1]; pictures that a patient lacks are all zeros.

    Of a patient with more than ``items`` pictures the first in the order of their names are taken, and counted.
    """

    kind: Literal["bag"]
    encoder: Literal["filters", "attention-mil", "cnn", "network"] = "attention-mil"
    width: int = Field(default=1, ge=1, le=256)
    network: Network = "resnet18"  # of encoder "network"
    weights: Digest | None = None  # its pre-trained file
    path: str = Field(min_length=1)  # pattern inside the site's folder, with {patient} or {row}
    items: int = Field(default=8, ge=1, le=256)
    size: tuple[int, int, int] = Field(alias="shape")
    window: tuple[float, float] | None = None  # as of an image

    @model_validator(mode="after")
    def _sensible(self) -> "Bag":
        channels, height, width = self.size
        if channels not in (1, 3) or not (16 <= height <= 1024 and 16 <= width <= 1024):
            raise ValueError(f"shape must be [1 or 3, height, width] of 16 to 1024 pixels, got {list(self.size)}")
        if self.window and not self.window[0] < self.window[1]:
            raise ValueError(f"window must be [low, high] with low < high, got {list(self.window)}")
        if not is_pattern(self.path):
            raise ValueError('path must hold "{patient}" or "{row}" once, as in "laryngoscopy/{patient}/*.png"')
        return self

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one patient: (items, channels, height, width)."""
        return (self.items, *self.size)
