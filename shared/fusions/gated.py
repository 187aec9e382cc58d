"""Gated fusion: every modality's embedding weighs by a gate that it opens itself (Arevalo et al. 2017)."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from shared.fusions.base import Fusion, keep, start_sum
from shared.heads import Head, Outputs, zero_head


class Gated(Fusion):
    """Scores of the modalities' own heads, each times twice its gate; closed gates and absent modalities add nothing.

    Gates start half open, so that the start is the sum of the single models' log odds, as for concatenation.
    """

    def __init__(self, widths: Mapping[str, int], outputs: Outputs) -> None:
        super().__init__(widths)
        self.heads = nn.ModuleDict({name: zero_head(width, outputs) for name, width in widths.items()})
        self.gates = nn.ModuleDict({name: zero_head(width, Outputs(1)) for name, width in widths.items()})

    def start_from(self, heads: Mapping[str, Head]) -> None:
        """The trained heads of the modalities, with biases that add up to their mean."""
        start_sum(self.heads, heads)

    def forward(self, embeddings: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """Scores (units, outputs)."""
        known = {name: keep(embeddings[name], present[name]) for name in self.modalities}
        opened = {name: 2 * self.gates[name](known[name]).sigmoid() for name in self.modalities}
        parts = [keep(opened[name] * self.heads[name](known[name]), present[name]) for name in self.modalities]
        return torch.stack(parts).sum(dim=0)
