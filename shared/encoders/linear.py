"""Encoders of a clinical vector: a linear score, and a network with one hidden layer."""

from torch import Tensor, nn

from shared.encoders.base import Encoder, FixedFeatures, Spec

HIDDEN = 16


class Linear(FixedFeatures):
    """(patients, features) to (patients, width) by one matrix."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec.shape[0], spec.width)


class Mlp(Encoder):
    """(patients, features) to (patients, width) through 16 hidden units with tanh."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.width = spec.width
        self.layers = nn.Sequential(nn.Linear(spec.shape[0], HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, spec.width))

    def forward(self, x: Tensor) -> Tensor:
        """Embed prepared patients: (patients, features) to (patients, width)."""
        embedding: Tensor = self.layers(x)
        return embedding
