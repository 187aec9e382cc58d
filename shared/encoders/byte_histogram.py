"""How often each byte and each pair of neighbouring bytes stands in a sequence, with one trained matrix."""

from math import log2, sqrt

import torch
from torch import Tensor

from shared.encoders.base import LENGTH, FixedFeatures, Spec

BYTES, PAIRS = 256, 1024  # bytes, and buckets of pairs
SPREAD = 40_503  # an odd multiplier that spreads pairs over the buckets (Knuth 6.4)
SIZE = LENGTH / sqrt(2)  # of each part


class ByteHistogram(FixedFeatures):
    """(patients, 1281) to (patients, width)."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(BYTES + PAIRS + 1, spec.width)

    def prepare(self, raw: Tensor) -> Tensor:
        """Log counts of each part, of one length, and of the length: (bytes,) plus one to (1281,)."""
        values = raw[raw != 0].long() - 1
        pairs = ((values[:-1] * BYTES + values[1:]) * SPREAD % 65_536) % PAIRS
        parts = [_counts(values, BYTES), _counts(pairs, PAIRS)]
        return torch.cat([*parts, torch.tensor([log2(len(values) + 1) / 5 - 1])])


def _counts(values: Tensor, buckets: int) -> Tensor:
    counts = torch.bincount(values.clamp(0, buckets - 1), minlength=buckets).float().log1p()
    scaled: Tensor = SIZE * counts / counts.norm().clamp(min=1e-6)
    return scaled
