"""Fixed features with one trained matrix: what still learns from a few hundred patients under privacy."""

import torch
from torch import Generator, Tensor, nn

from shared.encoders.base import Encoder, Shape, draw_readout, mean_present, present
from shared.encoders.image_features import IMAGE_FEATURES, image_features
from shared.encoders.volume_features import VOLUME_FEATURES, volume_features

ABSENT = -1e9


def image_items(raw: Tensor) -> Tensor:
    """Features of each picture of one patient: (items, channels, height, width) to (items, features).

    An absent picture (all zeros) has all-zero features; no picture that is there has.
    """
    blank = raw.new_zeros(len(IMAGE_FEATURES))
    return torch.stack([image_features(picture) if picture.any() else blank for picture in raw])


class VolumeFilters(Encoder):
    """(patients, features) of ``volume_features`` to (patients, width)."""

    def __init__(self, shape: Shape, width: int) -> None:
        super().__init__()
        self.width = width
        self.readout = nn.Linear(len(VOLUME_FEATURES), width, bias=False)  # the head has the bias

    def start(self, generator: Generator) -> None:
        """Zero for a single score, small otherwise."""
        draw_readout(self.readout, generator)

    def prepare(self, raw: Tensor) -> Tensor:
        """Fixed features: (1, x, y, z) in [0, 1] to (features,)."""
        return volume_features(raw)

    def forward(self, x: Tensor) -> Tensor:
        """Embed prepared patients: (patients, features) to (patients, width)."""
        embedding: Tensor = self.readout(x)
        return embedding


class BagFilters(Encoder):
    """Mean and maximum of ``image_features`` over the pictures that are there, then one matrix."""

    def __init__(self, shape: Shape, width: int) -> None:
        super().__init__()
        self.width = width
        self.readout = nn.Linear(2 * len(IMAGE_FEATURES), width, bias=False)

    def start(self, generator: Generator) -> None:
        """Zero for a single score, small otherwise."""
        draw_readout(self.readout, generator)

    def prepare(self, raw: Tensor) -> Tensor:
        """Fixed features of each picture: (items, channels, height, width) to (items, features)."""
        return image_items(raw)

    def forward(self, x: Tensor) -> Tensor:
        """Embed prepared patients: (patients, items, features) to (patients, width)."""
        mask = present(x)
        shown = mask.unsqueeze(-1) > 0
        largest = x.masked_fill(~shown, ABSENT).amax(1)
        largest = largest.masked_fill(~shown.any(1), 0.0)
        embedding: Tensor = self.readout(torch.cat([mean_present(x, mask), largest], dim=-1))
        return embedding
