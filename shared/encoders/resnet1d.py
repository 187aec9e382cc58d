"""Residual networks over time for recorded waves, alone and with a transformer on top of them.

The blocks are those of Ribeiro et al. (Nature Communications 2020) in small: two convolutions of width 9, strided.
"""

from itertools import pairwise

from torch import Generator, Tensor, nn

from shared.encoders.base import Encoder, Spec
from shared.encoders.transformer import TransformerBlock, positions

CHANNELS = (16, 32, 48, 64)
GROUPS, KERNEL, STRIDE = 8, 9, 4
BLOCKS = 2  # of the transformer
SCALE = 10.0  # a wave fills about a tenth of its declared range


class Residual(nn.Module):
    """Two convolutions, of which the first is strided, beside the strided mean."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(inputs, outputs, KERNEL, stride=STRIDE, padding=KERNEL // 2, bias=False)
        self.second = nn.Conv1d(outputs, outputs, KERNEL, padding=KERNEL // 2, bias=False)
        self.norms = nn.ModuleList([nn.GroupNorm(GROUPS, outputs), nn.GroupNorm(GROUPS, outputs)])
        self.shortcut = nn.Conv1d(inputs, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(patients, inputs, samples) to (patients, outputs, a fourth of the samples)."""
        inner = self.norms[1](self.second(self.norms[0](self.first(x)).relu()))
        around = nn.functional.avg_pool1d(x, STRIDE, ceil_mode=True, count_include_pad=False)
        out: Tensor = (inner + self.shortcut(around)).relu()
        return out


class Resnet1d(Encoder):
    """(patients, leads, samples) in [-1, 1] to (patients, width) by the mean over time."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.width = spec.width
        self.blocks = nn.Sequential(*(Residual(*pair) for pair in pairwise((spec.shape[0], *CHANNELS))))
        self.readout = nn.Linear(CHANNELS[-1], spec.width)

    def forward(self, x: Tensor) -> Tensor:
        """Embed records."""
        embedding: Tensor = self.readout(self.blocks(SCALE * x).mean(-1))
        return embedding


class Resnet1dTransformer(Resnet1d):
    """The same with a transformer over the sequence that is left, before the mean over time."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self.transformer = nn.Sequential(*(TransformerBlock(CHANNELS[-1]) for _ in range(BLOCKS)))

    def start(self, generator: Generator) -> None:
        """Each block starts as the identity, so that it begins as the network without a transformer."""
        super().start(generator)
        for block in self.transformer.modules():
            if isinstance(block, TransformerBlock):
                block.start()

    def forward(self, x: Tensor) -> Tensor:
        """Embed records."""
        places = self.blocks(SCALE * x).transpose(1, 2)
        places = self.transformer(places + positions(*places.shape[1:]).to(places))
        embedding: Tensor = self.readout(places.mean(1))
        return embedding
