"""The last layer of every model: from an embedding to the scores of the study's outcome."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from shared.outcomes.base import OutcomeSection


@dataclass(frozen=True)
class Outputs:
    """How many scores an outcome needs, and whether they share one direction (cumulative link, discrete hazard)."""

    count: int
    proportional: bool = False

    @classmethod
    def of(cls, outcome: OutcomeSection) -> "Outputs":
        """What a study's outcome needs."""
        return cls(outcome.outputs, outcome.proportional)


class ProportionalHead(nn.Module):
    """One row of weights that all outputs share, and a bias for each.

    Biases start apart and falling, so that no two cuts of an ordinal outcome are the same.
    """

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, width))
        self.bias = nn.Parameter(torch.linspace(1.0, -1.0, outputs))

    def forward(self, embedding: Tensor) -> Tensor:
        """Scores (units, outputs) of embeddings (units, width)."""
        return embedding @ self.weight.T + self.bias


Head = nn.Linear | ProportionalHead


def zero_head(width: int, outputs: Outputs) -> Head:
    """A head that starts with zero weights: embeddings (units, width) to scores (units, outputs)."""
    if outputs.proportional:
        return ProportionalHead(width, outputs.count)
    head = nn.Linear(width, outputs.count)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    return head


def own_head(width: int, outputs: Outputs) -> Head:
    """The head of one modality, which starts by passing the embedding on: a score each where the widths agree, else
    equal parts of all."""
    head = zero_head(width, outputs)
    rows = len(head.weight)
    with torch.no_grad():
        head.weight.copy_(torch.eye(width) if rows == width else torch.full((rows, width), width**-0.5))
    return head
