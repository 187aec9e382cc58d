"""One Gaussian kernel a modality, added up: random Fourier features under a linear head (Rahimi and Recht 2007)."""

from collections.abc import Mapping
from math import pi, sqrt

import torch
from torch import Generator, Tensor, nn

from shared.fusions.base import Fusion, keep, start_sum
from shared.heads import Head, Outputs, zero_head

FEATURES = 32  # a modality
BANDWIDTH = 2.0  # of the kernel, in units of the embedding


class Kernel(Fusion):
    """A sum of kernels is the concatenation of their features, so the multi-kernel machine is linear, federated and
    clipped as any head. Features are fixed, the same at every hospital, and start without influence beside the
    modalities' own scores."""

    def __init__(self, widths: Mapping[str, int], outputs: Outputs) -> None:
        super().__init__(widths)
        self.heads = nn.ModuleDict({name: zero_head(width, outputs) for name, width in widths.items()})
        self.features = zero_head(FEATURES * len(widths), outputs)
        self.frequencies = [
            torch.randn(FEATURES, width, generator=Generator().manual_seed(place)) / BANDWIDTH
            for place, width in enumerate(widths.values())
        ]
        self.phases = [
            2 * pi * torch.rand(FEATURES, generator=Generator().manual_seed(1000 + place))
            for place in range(len(widths))
        ]

    def start_from(self, heads: Mapping[str, Head]) -> None:
        """The trained heads of the modalities, with biases that add up to their mean."""
        start_sum(self.heads, heads)

    def forward(self, embeddings: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """Scores (units, outputs)."""
        parts, features = [], []
        for place, name in enumerate(self.modalities):
            known = keep(embeddings[name], present[name])
            parts.append(keep(self.heads[name](known), present[name]))
            wave = torch.cos(known @ self.frequencies[place].T + self.phases[place])
            features.append(keep(sqrt(2 / FEATURES) * wave, present[name]))
        scores: Tensor = torch.stack(parts).sum(dim=0) + self.features(torch.cat(features, dim=-1))
        return scores
