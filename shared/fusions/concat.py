"""Concatenation: a linear head over all embeddings, with a weight of its own for each absence."""

from collections.abc import Mapping

import torch
from torch import Tensor

from shared.fusions.base import Fusion
from shared.heads import Head, Outputs, zero_head


class Concat(Fusion):
    """Starts as the sum of the single models' log odds, which is right where modalities err independently."""

    def __init__(self, widths: Mapping[str, int], outputs: Outputs) -> None:
        super().__init__(widths)
        self.head = zero_head(sum(widths.values()) + len(widths), outputs)

    def start_from(self, heads: Mapping[str, Head]) -> None:
        """Weights side by side; the biases averaged, as each holds the same prior odds; absences count nothing."""
        own = [heads[name] for name in self.modalities]
        with torch.no_grad():
            weights = [head.weight for head in own]
            self.head.weight.copy_(torch.cat([*weights, torch.zeros(len(own[0].weight), len(own))], dim=1))
            self.head.bias.copy_(torch.stack([head.bias for head in own]).mean(dim=0))

    def forward(self, embeddings: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """Scores (units, outputs)."""
        masks = {name: present[name].unsqueeze(-1) for name in self.modalities}
        known = [torch.where(masks[name], embeddings[name], 0.0) for name in self.modalities]
        absent = [(~masks[name]).to(known[0].dtype) for name in self.modalities]
        return self.head(torch.cat([*known, *absent], dim=-1))  # type: ignore[no-any-return]
