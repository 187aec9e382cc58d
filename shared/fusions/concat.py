"""Concatenation: a linear head over all embeddings, with a weight of its own for each absence; or a network on them."""

from collections.abc import Mapping
from math import sqrt

import torch
from torch import Generator, Tensor, nn

from shared.fusions.base import Fusion
from shared.heads import Head, Outputs, zero_head

HIDDEN = 16


class Concat(Fusion):
    """Starts as the sum of the single models' log odds, which is right where modalities err independently."""

    def __init__(self, widths: Mapping[str, int], outputs: Outputs) -> None:
        super().__init__(widths)
        self.inputs = sum(widths.values()) + len(widths)
        self.head = zero_head(self.inputs, outputs)

    def start_from(self, heads: Mapping[str, Head]) -> None:
        """Weights side by side; the biases averaged, as each holds the same prior odds; absences count nothing."""
        own = [heads[name] for name in self.modalities]
        with torch.no_grad():
            weights = [head.weight for head in own]
            self.head.weight.copy_(torch.cat([*weights, torch.zeros(len(own[0].weight), len(own))], dim=1))
            self.head.bias.copy_(torch.stack([head.bias for head in own]).mean(dim=0))

    def joined(self, embeddings: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """Embeddings side by side, zeros where absent, then a one for each absence: (units, inputs)."""
        masks = {name: present[name].unsqueeze(-1) for name in self.modalities}
        known = [torch.where(masks[name], embeddings[name], 0.0) for name in self.modalities]
        absent = [(~masks[name]).to(known[0].dtype) for name in self.modalities]
        return torch.cat([*known, *absent], dim=-1)

    def forward(self, embeddings: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """Scores (units, outputs)."""
        return self.head(self.joined(embeddings, present))  # type: ignore[no-any-return]


class Mlp(Concat):
    """The linear head, corrected by one on sixteen hidden units; the correction starts at zero.

    Hidden units start as fixed random ones, the same at every hospital.
    """

    def __init__(self, widths: Mapping[str, int], outputs: Outputs) -> None:
        super().__init__(widths, outputs)
        self.hidden = nn.Linear(self.inputs, HIDDEN)
        self.correction = zero_head(HIDDEN, outputs)
        generator = Generator().manual_seed(0)
        with torch.no_grad():
            for values in self.hidden.parameters():
                values.copy_(torch.randn(values.shape, generator=generator) / sqrt(self.inputs))

    def forward(self, embeddings: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """Scores (units, outputs)."""
        joined = self.joined(embeddings, present)
        scores: Tensor = self.head(joined) + self.correction(self.hidden(joined).tanh())
        return scores
