"""Attention over the pictures of a patient, on fixed features of each."""

from torch import Generator, Tensor

from shared.encoders.attention import GatedAttention
from shared.encoders.base import FixedFeatures, Spec, draw, present
from shared.encoders.filters import image_items
from shared.encoders.image_features import IMAGE_FEATURES


class AttentionMil(FixedFeatures):
    """A bag's features averaged with learned weights, then one matrix."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(len(IMAGE_FEATURES), spec.width)
        self.attention = GatedAttention(len(IMAGE_FEATURES))

    def start(self, generator: Generator) -> None:
        """Attention starts at the plain mean; the readout as for every encoder on fixed features."""
        for module in self.attention.modules():
            draw(module, generator)
        self.attention.start()
        super().start(generator)

    def prepare(self, raw: Tensor) -> Tensor:
        """Fixed features of each picture: (items, channels, height, width) to (items, features)."""
        return image_items(raw)

    def forward(self, x: Tensor) -> Tensor:
        """Embed prepared patients: (patients, items, features) to (patients, width)."""
        return super().forward(self.attention(x, present(x)))
