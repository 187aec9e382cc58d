"""Banks of fixed filters with one trained matrix: what still learns from a few hundred patients under privacy."""

from math import sqrt

import torch
from torch import Tensor

from shared.encoders.base import FixedFeatures, Spec, mean_present, present
from shared.encoders.image_features import IMAGE_FEATURES, image_features
from shared.encoders.picture_features import count_features, picture_features
from shared.encoders.volume_features import VOLUME_FEATURES, volume_features

ABSENT = -1e9
LONGEST = 5.0  # of a patient's features of a volume; those of a contrast CT are about 3


def image_items(raw: Tensor) -> Tensor:
    """Features of each picture of one patient: (items, channels, height, width) to (items, features).

    An absent picture (all zeros) has all-zero features; no picture that is there has.
    """
    blank = raw.new_zeros(len(IMAGE_FEATURES))
    return torch.stack([image_features(picture) if picture.any() else blank for picture in raw])


class ImageFilters(FixedFeatures):
    """(patients, features) of ``picture_features`` to (patients, width)."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(count_features(spec.shape[0]), spec.width)

    def prepare(self, raw: Tensor) -> Tensor:
        """Fixed features: (channels, height, width) in [0, 1] to (features,)."""
        return picture_features(raw)


class VolumeFilters(FixedFeatures):
    """(patients, features) of ``volume_features`` to (patients, width)."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec.shape[0] * len(VOLUME_FEATURES), spec.width)

    def prepare(self, raw: Tensor) -> Tensor:
        """Fixed features of each channel: (channels, x, y, z) in [0, 1] to (features,).

        Their constants are those of a contrast CT, so volumes of another kind lie at the bounds of many features: such
        a patient is shortened, or else gradient descent without a clip would overshoot.
        """
        values = torch.cat([volume_features(channel.unsqueeze(0)) for channel in raw]) / sqrt(len(raw))
        return values * min(1.0, LONGEST / float(values.norm().clamp(min=1e-6)))


class BagFilters(FixedFeatures):
    """Mean and maximum of ``image_features`` over the pictures that are there, then one matrix."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(2 * len(IMAGE_FEATURES), spec.width)

    def prepare(self, raw: Tensor) -> Tensor:
        """Fixed features of each picture: (items, channels, height, width) to (items, features)."""
        return image_items(raw)

    def forward(self, x: Tensor) -> Tensor:
        """Embed prepared patients: (patients, items, features) to (patients, width)."""
        mask = present(x)
        shown = mask.unsqueeze(-1) > 0
        largest = x.masked_fill(~shown, ABSENT).amax(1)
        largest = largest.masked_fill(~shown.any(1), 0.0)
        return super().forward(torch.cat([mean_present(x, mask), largest], dim=-1))
