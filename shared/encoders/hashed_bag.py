"""Which codes a patient has and how often, hashed, with one trained matrix: codes without a list of them."""

import torch
from torch import Tensor

from shared.encoders.base import FixedFeatures, Spec

BUCKETS = 1024


class HashedBag(FixedFeatures):
    """(patients, 1024) to (patients, width)."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(BUCKETS, spec.width)

    def prepare(self, raw: Tensor) -> Tensor:
        """Signed hashing of log(1 + count): (items,) int64, zeros after the end, to (1024,).

        Not scaled to one length: that a patient has many codes says something too.
        """
        codes, counts = torch.unique(raw[raw != 0].long(), return_counts=True)
        sign = 1.0 - 2.0 * ((codes // BUCKETS) % 2)
        return torch.zeros(BUCKETS).index_add(0, codes % BUCKETS, sign * counts.float().log1p())
