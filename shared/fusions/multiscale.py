"""Multiscale fusion: what modalities tell one by one, and what pairs of them tell together."""

from collections.abc import Mapping
from itertools import combinations
from math import sqrt

import torch
from torch import Generator, Tensor, nn

from shared.fusions.base import Fusion, keep, start_sum
from shared.heads import Head, Outputs, zero_head

SCALES = (1, 2, 4)  # widths at which two modalities meet


class Multiscale(Fusion):
    """The sum of the modalities' own scores, and a head on products of pairs of embeddings, projected to several
    widths; a pair of which one is absent tells nothing. Products start without influence."""

    def __init__(self, widths: Mapping[str, int], outputs: Outputs) -> None:
        super().__init__(widths)
        self.heads = nn.ModuleDict({name: zero_head(width, outputs) for name, width in widths.items()})
        self.scales = nn.ModuleDict({name: nn.Linear(width, sum(SCALES)) for name, width in widths.items()})
        self.pairs = tuple(combinations(self.modalities, 2))
        self.products = zero_head(len(self.pairs) * sum(SCALES), outputs)
        for place, layer in enumerate(self.scales.values()):
            generator = Generator().manual_seed(place)
            with torch.no_grad():
                for values in layer.parameters():
                    values.copy_(torch.randn(values.shape, generator=generator) / sqrt(sum(SCALES)))

    def start_from(self, heads: Mapping[str, Head]) -> None:
        """The trained heads of the modalities, with biases that add up to their mean."""
        start_sum(self.heads, heads)

    def forward(self, embeddings: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """Scores (units, outputs)."""
        known = {name: keep(embeddings[name], present[name]) for name in self.modalities}
        own = torch.stack([keep(self.heads[name](known[name]), present[name]) for name in self.modalities])
        scaled = {name: keep(self.scales[name](known[name]).tanh(), present[name]) for name in self.modalities}
        met = torch.cat([scaled[one] * scaled[other] for one, other in self.pairs], dim=-1)
        scores: Tensor = own.sum(dim=0) + self.products(met)
        return scores
