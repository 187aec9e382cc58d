"""Encoders of a clinical vector: a linear score, and a network with one hidden layer."""

from torch import Generator, Tensor, nn

from shared.encoders.base import Encoder, Shape, draw_readout

HIDDEN = 16


class Linear(Encoder):
    """(patients, features) to (patients, width) by one matrix; with width 1 a logistic regression's score."""

    def __init__(self, shape: Shape, width: int) -> None:
        super().__init__()
        self.width = width
        self.readout = nn.Linear(shape[0], width, bias=False)  # the head has the bias

    def start(self, generator: Generator) -> None:
        """Zero for a single score, small otherwise."""
        draw_readout(self.readout, generator)

    def forward(self, x: Tensor) -> Tensor:
        """Embed prepared patients: (patients, features) to (patients, width)."""
        embedding: Tensor = self.readout(x)
        return embedding


class Mlp(Encoder):
    """(patients, features) to (patients, width) through 16 hidden units with tanh."""

    def __init__(self, shape: Shape, width: int) -> None:
        super().__init__()
        self.width = width
        self.layers = nn.Sequential(nn.Linear(shape[0], HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, width))

    def forward(self, x: Tensor) -> Tensor:
        """Embed prepared patients: (patients, features) to (patients, width)."""
        embedding: Tensor = self.layers(x)
        return embedding
