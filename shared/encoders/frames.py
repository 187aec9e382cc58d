"""Encoders of a sequence of grids: statistics of the frames and of their change, and a convolutional LSTM."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.encoders.base import Encoder, FixedFeatures, Spec, softened

CELLS = 4  # of the last frame and of its change, a side
STATISTICS = 8  # of a channel, beside the cells
WET = 0.1  # part of the range above which a place counts as covered
HIDDEN, KERNEL = 12, 3
SHRUNK = 32  # the longer side that the convolutional LSTM reads at most


class Pooling(FixedFeatures):
    """(patients, features) of ``frame_features`` to (patients, width)."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec.shape[1] * (STATISTICS + 2 * CELLS**2), spec.width)

    def prepare(self, raw: Tensor) -> Tensor:
        """Fixed features: (frames, channels, height, width) in [0, 1] to (features,)."""
        return frame_features(raw)


def frame_features(raw: Tensor) -> Tensor:
    """Features of one sequence, about one in size: (frames, channels, height, width) to (features,), in (-3, 3).

    Means, spreads, cover and trend over the frames that are there, and the last frame and the change on a coarse grid.
    """
    there = raw.flatten(1).any(1)
    frames = raw[there] if there.any() else raw[:1]
    means = frames.mean((2, 3))  # (frames, channels)
    last, change = frames[-1], frames[-1] - frames[0]
    time = torch.linspace(-1, 1, len(frames)).unsqueeze(1) if len(frames) > 1 else torch.zeros(1, 1)
    trend = (time * means).sum(0) / time.square().sum().clamp(min=1e-6)
    spread = frames.flatten(2).std(2, correction=0)
    told = [
        4 * means.mean(0),
        4 * means[-1],
        8 * trend,
        4 * spread.mean(0),
        4 * spread[-1],
        2 * last.flatten(1).amax(1),
        2 * frames.amax((0, 2, 3)),
        2 * (last > WET).float().mean((1, 2)),
    ]
    cells = [4 * functional.adaptive_avg_pool2d(grid, CELLS).flatten() for grid in (last, change)]
    return softened(torch.cat([*told, *cells]))


class ConvLstm(Encoder):
    """(patients, frames, channels, height, width) to (patients, width) (Shi et al., NeurIPS 2015, equation 3).

    Without the connections from the cell to its gates; frames before the first that is there change nothing.
    """

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.width = spec.width
        self.gates = nn.Conv2d(spec.shape[1] + HIDDEN, 4 * HIDDEN, KERNEL, padding=KERNEL // 2)
        self.readout = nn.Linear(2 * HIDDEN, spec.width)

    def prepare(self, raw: Tensor) -> Tensor:
        """Large grids averaged to at most 32 places a side."""
        height, width = (min(side, SHRUNK) for side in raw.shape[2:])
        return functional.adaptive_avg_pool2d(raw.float(), (height, width))

    def forward(self, x: Tensor) -> Tensor:
        """Embed prepared patients by the last state's mean and largest over space."""
        hidden = x.new_zeros(len(x), HIDDEN, *x.shape[3:])
        cell = torch.zeros_like(hidden)
        for frame in x.unbind(1):
            there = (frame.flatten(1) != 0).any(1).view(-1, 1, 1, 1)
            keep, take, show, new = self.gates(torch.cat([frame, hidden], dim=1)).chunk(4, dim=1)
            next_cell = (keep + 1).sigmoid() * cell + take.sigmoid() * new.tanh()
            hidden = torch.where(there, show.sigmoid() * next_cell.tanh(), hidden)
            cell = torch.where(there, next_cell, cell)
        maps = hidden.flatten(2)
        embedding: Tensor = self.readout(torch.cat([maps.mean(-1), maps.amax(-1)], dim=-1))
        return embedding
