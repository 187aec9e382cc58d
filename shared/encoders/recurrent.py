"""Recurrent networks: over measurements and over codes, in both directions but for GRU.

What is padded is never read. PyTorch's layers hold the weights; ``recurrence`` computes what they would, in a way that
has each patient's own gradient.
"""

import torch
from torch import Tensor, nn

from shared.encoders.base import Encoder, Spec, mean_present
from shared.encoders.recurrence import Layer, outputs_of
from shared.encoders.window_statistics import HIGHEST, LOWEST, MEAN, OBSERVED

HIDDEN = 32
BUCKETS, EMBEDDING = 4096, 16  # of hashed words and codes
CHANNELS = 5  # of a variable: mean, lowest, highest, observed, how old
AGE = 0.25  # part of the window after which a value carried forward is stale


class Recurrent(Encoder):
    """A sequence to its outputs' mean over time and largest over time, then one matrix."""

    def __init__(self, layer: type[Layer], inputs: int, width: int, both: bool = True) -> None:
        super().__init__()
        self.width = width
        self.layer = layer(inputs, HIDDEN, batch_first=True, bidirectional=both)
        self.readout = nn.Linear(2 * HIDDEN * (2 if both else 1), width)

    def read(self, x: Tensor, mask: Tensor) -> Tensor:
        """Embed sequences: (patients, places, inputs), mask (patients, places) without gaps, to (patients, width)."""
        lengths = mask.sum(1).long()
        outputs = outputs_of(self.layer, x, lengths)
        largest = outputs.masked_fill(mask.unsqueeze(-1) == 0, -1.0).amax(1)  # outputs lie between -1 and 1
        some = (lengths > 0).to(x.dtype).unsqueeze(-1)
        embedding: Tensor = self.readout(torch.cat([mean_present(outputs, mask), largest * some], dim=-1))
        return embedding


class SeriesRecurrent(Recurrent):
    """(patients, steps, inputs) to (patients, width); a step without a measurement carries the last one forward."""

    def prepare(self, raw: Tensor) -> Tensor:
        """Carry forward: (steps, variables, 4) to (steps, 5 * variables)."""
        return carried_forward(raw)

    def forward(self, x: Tensor) -> Tensor:
        """Embed prepared patients; every step is there."""
        return self.read(x, torch.ones(x.shape[:2]))


class SeriesLstm(SeriesRecurrent):
    """Long short-term memory in both directions."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(nn.LSTM, CHANNELS * spec.shape[1], spec.width)


class SeriesGru(SeriesRecurrent):
    """Gated recurrent unit, forward in time: for what must not read the future."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(nn.GRU, CHANNELS * spec.shape[1], spec.width, both=False)


def carried_forward(raw: Tensor) -> Tensor:
    """Last measurement before or at each step, whether it is new, and its freshness: (steps, 5 * variables)."""
    seen = raw[..., OBSERVED] > 0
    order = torch.arange(len(raw)).unsqueeze(1)
    last = torch.where(seen, order, -1).cummax(0).values  # step of the last measurement, -1 before the first
    ever = (last >= 0).float()
    values = [raw[..., channel].gather(0, last.clamp(min=0)) * ever for channel in (MEAN, LOWEST, HIGHEST)]
    fresh = ever * torch.exp(-(order - last) / (AGE * len(raw)))
    return torch.stack([*values, seen.float(), fresh], dim=-1).flatten(1)


class ConceptLstm(Recurrent):
    """Over codes in the order of time, each with an embedding of its bucket."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(nn.LSTM, EMBEDDING, spec.width)
        self.embedding = nn.Embedding(BUCKETS, EMBEDDING)

    def prepare(self, raw: Tensor) -> Tensor:
        """Codes (items,) int64 to buckets (items,)."""
        return torch.where(raw == 0, 0, 1 + raw.long().remainder(BUCKETS - 1)).float()

    def forward(self, x: Tensor) -> Tensor:
        """Embed prepared patients."""
        return self.read(*embedded(self.embedding, x))


def embedded(embedding: nn.Embedding, x: Tensor) -> tuple[Tensor, Tensor]:
    """Whole numbers (patients, places), zero for none, to their embeddings and the mask of what is there.

    A number outside the buckets wraps around.
    """
    return embedding(x.long().remainder(embedding.num_embeddings)), (x != 0).float()
