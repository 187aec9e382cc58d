"""What every fusion is: embeddings and presence masks in, scores of the outcome out."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from shared.heads import Head


class Fusion(nn.Module):
    """Joins the embeddings of ``modalities``; what is absent must not matter, whatever its embedding holds.

    Subclasses define ``forward(embeddings, present) -> (units, outputs)`` with embeddings {modality: (units, width)}
    and present {modality: (units,) bool}.
    """

    def __init__(self, widths: Mapping[str, int]) -> None:
        super().__init__()
        self.modalities: Sequence[str] = tuple(widths)

    def start_from(self, heads: Mapping[str, Head]) -> None:
        """Start at what the trained heads of the single modalities already know; free, as they were released."""
        raise NotImplementedError

    def forward(self, embeddings: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """Scores (units, outputs)."""
        raise NotImplementedError

    def penalty(self, embeddings: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """What is added to each unit's loss, (units,); of the unit itself alone."""
        return next(iter(embeddings.values())).new_zeros(len(next(iter(present.values()))))


def keep(values: Tensor, present: Tensor) -> Tensor:
    """Values of the units that have the modality, zeros for the others: (units, n), (units,) bool."""
    return torch.where(present.unsqueeze(-1), values, 0.0)


def start_copy(own: nn.ModuleDict, heads: Mapping[str, Head]) -> None:
    """Heads inside a fusion start as the trained heads of their modalities."""
    for name, head in own.items():
        head.load_state_dict(heads[name].state_dict())


def start_sum(own: nn.ModuleDict, heads: Mapping[str, Head]) -> None:
    """As ``start_copy``, for a fusion that adds the scores: each bias holds the same prior odds, so each counts its
    share of them."""
    start_copy(own, heads)
    with torch.no_grad():
        mean = torch.stack([heads[name].bias for name in own]).mean(dim=0)
        for values in (head.get_parameter("bias") for head in own.values()):
            values.copy_(mean / len(own))
