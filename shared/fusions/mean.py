"""Masked mean: a linear head over the average of the embeddings that are present."""

from collections.abc import Mapping

import torch
from torch import Tensor

from shared.fusions.base import Fusion
from shared.heads import Head, Outputs, zero_head


class Mean(Fusion):
    """Needs equal widths; a patient with nothing present has the zero embedding."""

    def __init__(self, widths: Mapping[str, int], outputs: Outputs) -> None:
        super().__init__(widths)
        self.head = zero_head(next(iter(widths.values())), outputs)

    def start_from(self, heads: Mapping[str, Head]) -> None:
        """Sum of the single heads: with all present, the mean embedding then scores near the sum of log odds."""
        own = [heads[name] for name in self.modalities]
        with torch.no_grad():
            self.head.weight.copy_(torch.stack([head.weight for head in own]).sum(dim=0))
            self.head.bias.copy_(torch.stack([head.bias for head in own]).mean(dim=0))

    def forward(self, embeddings: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """Scores (units, outputs)."""
        masks = torch.stack([present[name] for name in self.modalities]).unsqueeze(-1)  # (modalities, units, 1)
        stacked = torch.stack([embeddings[name] for name in self.modalities])  # (modalities, units, width)
        total = torch.where(masks, stacked, 0.0).sum(dim=0)
        return self.head(total / masks.sum(dim=0).clamp(min=1))  # type: ignore[no-any-return]
