"""Cross-entropy on log odds: of one event, or of several labels."""

import torch
from torch import Tensor
from torch.nn import functional

from shared.outcomes.binary import Binary
from shared.outcomes.classes import Multilabel
from shared.outcomes.loss_choice import Focal, LossChoice, Weighted


def binary_loss(scores: Tensor, truth: Tensor, outcome: Binary, choice: LossChoice) -> Tensor:
    """Loss (units,) of scores (units, 1), log odds, by truth (units, 1), 0 or 1."""
    return _cross_entropy(scores, truth, choice).squeeze(-1)


def multilabel_loss(scores: Tensor, truth: Tensor, outcome: Multilabel, choice: LossChoice) -> Tensor:
    """Mean over the labels that are known, (units,): scores and truth (units, labels), truth 0, 1 or NaN."""
    known = ~truth.isnan()
    losses = _cross_entropy(scores, torch.where(known, truth, 0.0), choice)
    return torch.where(known, losses, 0.0).sum(-1) / known.sum(-1).clamp(min=1)


def _cross_entropy(scores: Tensor, truth: Tensor, choice: LossChoice) -> Tensor:
    losses = functional.softplus((1 - 2 * truth) * scores)  # of a truth of 0 or 1 alone; a gradient of two operations
    if isinstance(choice, Focal):
        return losses * (-losses).expm1().neg() ** choice.gamma  # exp(-loss) is the probability of the truth
    if isinstance(choice, Weighted):
        none, event = choice.weights
        return losses * (none + (event - none) * truth)
    return losses
