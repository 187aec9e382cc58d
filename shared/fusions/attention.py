"""Attention between modalities: each is a token, and what is absent is attended by none (Vaswani et al. 2017)."""

from collections.abc import Mapping
from math import sqrt

import torch
from torch import Generator, Tensor, nn

from shared.fusions.base import Fusion, keep, start_sum
from shared.heads import Head, Outputs, zero_head

WIDTH = 8  # of a token
ABSENT = -1e9  # attention score of what is absent before the softmax


class SelfAttention(Fusion):
    """The sum of the modalities' own scores, corrected by a head on the mean of the tokens after one attention layer.

    The correction starts at zero; projections start as fixed random ones, the same at every hospital.
    """

    own = True  # whether a token attends to itself

    def __init__(self, widths: Mapping[str, int], outputs: Outputs) -> None:
        super().__init__(widths)
        self.heads = nn.ModuleDict({name: zero_head(width, outputs) for name, width in widths.items()})
        self.tokens = nn.ModuleDict({name: nn.Linear(width, WIDTH) for name, width in widths.items()})
        self.query, self.key, self.value = (nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(3))
        self.correction = zero_head(WIDTH, outputs)
        for place, layer in enumerate([*self.tokens.values(), self.query, self.key, self.value]):
            generator = Generator().manual_seed(place)
            with torch.no_grad():
                for values in layer.parameters():
                    values.copy_(torch.randn(values.shape, generator=generator) / sqrt(WIDTH))

    def start_from(self, heads: Mapping[str, Head]) -> None:
        """The trained heads of the modalities, with biases that add up to their mean."""
        start_sum(self.heads, heads)

    def forward(self, embeddings: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """Scores (units, outputs)."""
        known = {name: keep(embeddings[name], present[name]) for name in self.modalities}
        own = torch.stack([keep(self.heads[name](known[name]), present[name]) for name in self.modalities])
        there = torch.stack([present[name] for name in self.modalities], dim=1)  # (units, modalities)
        tokens = torch.stack([self.tokens[name](known[name]) for name in self.modalities], dim=1).tanh()
        scores: Tensor = own.sum(dim=0) + self.correction(self.attended(tokens, there))
        return scores

    def attended(self, tokens: Tensor, there: Tensor) -> Tensor:
        """Mean over the tokens that are there of what each attends to: (units, modalities, WIDTH) to (units, WIDTH)."""
        scores = self.query(tokens) @ self.key(tokens).transpose(1, 2) / sqrt(WIDTH)
        seen = there.unsqueeze(1).expand_as(scores)
        if not self.own:
            seen = seen & ~torch.eye(tokens.shape[1], dtype=torch.bool)
        weights = torch.where(seen, scores, ABSENT).softmax(-1) * seen
        mask = there.unsqueeze(-1).to(tokens.dtype)
        mean: Tensor = ((weights @ self.value(tokens)) * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)
        return mean


class CrossAttention(SelfAttention):
    """Each modality attends to the others only; one that is alone is not corrected."""

    own = False
