"""Late fusion: the mean of the modalities' own scores, by equal weights or by weights that are learned (stacking)."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from shared.fusions.base import Fusion, keep, start_copy
from shared.heads import Head, Outputs, zero_head


class LateMean(Fusion):
    """The plain mean of the scores of the modalities that are there."""

    def __init__(self, widths: Mapping[str, int], outputs: Outputs) -> None:
        super().__init__(widths)
        self.heads = nn.ModuleDict({name: zero_head(width, outputs) for name, width in widths.items()})

    def start_from(self, heads: Mapping[str, Head]) -> None:
        """The trained heads of the modalities."""
        start_copy(self.heads, heads)

    def own_scores(self, embeddings: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """Scores of each modality, zero where it is absent: (modalities, units, outputs)."""
        known = {name: keep(embeddings[name], present[name]) for name in self.modalities}
        parts = [keep(self.heads[name](known[name]), present[name]) for name in self.modalities]
        return torch.stack(parts)

    def weights(self) -> Tensor:
        """Of each modality, (modalities,)."""
        return torch.ones(len(self.modalities))

    def forward(self, embeddings: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """Scores (units, outputs)."""
        there = torch.stack([present[name] for name in self.modalities]).unsqueeze(-1)
        weights = torch.where(there, self.weights().view(-1, 1, 1), 0.0)
        total = (weights * self.own_scores(embeddings, present)).sum(dim=0)
        return total / weights.sum(dim=0).clamp(min=1e-6)


class Late(LateMean):
    """The mean by weights that start equal and stay positive."""

    def __init__(self, widths: Mapping[str, int], outputs: Outputs) -> None:
        super().__init__(widths, outputs)
        self.weight = nn.Parameter(torch.zeros(len(widths)))  # logarithms

    def weights(self) -> Tensor:
        """Of each modality, (modalities,)."""
        return self.weight.exp()


class Cooperative(Late):
    """Late fusion whose modalities are drawn towards agreement (Ding, Li, Narasimhan and Tibshirani 2022).

    A unit's loss gains ``AGREEMENT`` times the mean squared distance of its modalities' scores from their mean.
    """

    AGREEMENT = 0.1

    def penalty(self, embeddings: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """Disagreement of each unit's modalities, (units,)."""
        there = torch.stack([present[name] for name in self.modalities]).unsqueeze(-1)
        scores, count = self.own_scores(embeddings, present), there.sum(dim=0).clamp(min=1)
        apart = torch.where(there, scores - scores.sum(dim=0) / count, 0.0)
        return self.AGREEMENT * (apart.square().sum(dim=0) / count).mean(dim=-1)
