"""Deep networks by name for a picture, a volume and a bag of pictures: millions of parameters, from a start or a file.

They are for studies without privacy, or with many thousands of patients.
"""

from pathlib import Path
from typing import Protocol

import torch
from torch import Generator, Tensor, nn

from shared.encoders.attention import GatedAttention
from shared.encoders.base import Encoder, Shape, Spec, present
from shared.encoders.networks import network, own_weights
from shared.encoders.pretrained import Difference, fitted, read_weights

CENTRE, SPREAD = 0.45, 0.25  # of pictures in [0, 1], as such networks are trained on
BAG_FEATURES = 32  # of a picture of a bag, before attention


class NetworkSpec(Spec, Protocol):
    """A section that names a network."""

    @property
    def network(self) -> str:
        """Its name in ``NETWORKS``."""

    @property
    def weights(self) -> str | None:
        """Digest of a pre-trained file."""


class Network(Encoder):
    """(patients, channels, *space) in [0, 1] to (patients, width)."""

    def __init__(self, spec: NetworkSpec, shape: Shape | None = None, outputs: int | None = None) -> None:
        super().__init__()
        self.width = spec.width
        self.weights = spec.weights
        self.network = network(spec.network, shape or spec.shape, outputs or spec.width)
        self._difference = Difference(self.network) if spec.weights else None

    def start(self, generator: Generator) -> None:
        """Every layer by its kind; no difference from a pre-trained file."""
        super().start(generator)
        for _, value in own_weights(self.network):
            nn.init.normal_(value, std=0.02, generator=generator)
        if self._difference:
            self._difference.start(self.network)

    def attach(self, path: Path) -> None:
        """Load the pre-trained file."""
        if self._difference:
            self._difference.load(fitted(read_weights(path), self.network))

    def stand_in(self) -> None:
        """Random weights in place of the file's."""
        if self._difference:
            chance = torch.Generator().manual_seed(0)
            invented = {
                name: 0.05 * torch.randn(value.shape, generator=chance)
                for name, value in self.network.named_parameters()
            }
            self._difference.load(invented)

    def features(self, x: Tensor) -> Tensor:
        """The network's outputs."""
        x = (x - CENTRE) / SPREAD
        if self._difference:
            return self._difference.applied(self.network, x)
        outputs: Tensor = self.network(x)
        return outputs

    def forward(self, x: Tensor) -> Tensor:
        """Embed pictures or volumes: (patients, channels, *space) to (patients, width)."""
        return self.features(x)


class BagNetwork(Network):
    """The network on each picture, gated attention over the pictures that are there, one matrix."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__(spec, spec.shape[1:], BAG_FEATURES)
        self.attention = GatedAttention(BAG_FEATURES)
        self.readout = nn.Linear(BAG_FEATURES, spec.width)

    def start(self, generator: Generator) -> None:
        """Attention starts at the plain mean."""
        super().start(generator)
        self.attention.start()

    def forward(self, x: Tensor) -> Tensor:
        """Embed bags: (patients, items, channels, height, width) to (patients, width)."""
        patients, items = x.shape[:2]
        pictures = self.features(x.reshape(patients * items, *x.shape[2:])).reshape(patients, items, -1)
        embedding: Tensor = self.readout(self.attention(pictures, present(x)))
        return embedding
