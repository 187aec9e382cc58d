"""Losses of several classes: cross-entropy over a softmax, and the cumulative link of ordered classes."""

import torch
from torch import Tensor
from torch.nn import functional

from shared.outcomes.classes import Multiclass, Ordinal
from shared.outcomes.loss_choice import Focal, LossChoice, Weighted

SMALLEST = 1e-7  # probability of a class, so that its logarithm stays finite


def multiclass_loss(scores: Tensor, truth: Tensor, outcome: Multiclass, choice: LossChoice) -> Tensor:
    """Loss (units,) of scores (units, classes) by truth (units, 1), the class's number."""
    chosen = _one_hot(truth, outcome.outputs)
    return _chosen(-(functional.log_softmax(scores, dim=-1) * chosen).sum(-1), chosen, choice)


def ordinal_loss(scores: Tensor, truth: Tensor, outcome: Ordinal, choice: LossChoice) -> Tensor:
    """Loss (units,) of scores (units, boundaries), log odds of lying above each, by truth (units, 1).

    A class's probability is the difference of two neighbouring cumulative ones; cuts that are out of order give it
    the smallest probability, and its gradient pulls them back.
    """
    above = scores.sigmoid()
    edges = functional.pad(functional.pad(above, (1, 0), value=1.0), (0, 1), value=0.0)
    chosen = _one_hot(truth, outcome.outputs + 1)
    probability = ((edges[:, :-1] - edges[:, 1:]) * chosen).sum(-1)
    plain = -probability.clamp(min=SMALLEST).log()
    crossed = functional.binary_cross_entropy_with_logits(scores, _passed(truth, outcome), reduction="none").sum(-1)
    return _chosen(torch.where(probability > SMALLEST, plain, crossed - torch.tensor(SMALLEST).log()), chosen, choice)


def _one_hot(truth: Tensor, classes: int) -> Tensor:
    """1 in the column of each unit's class: (units, 1) to (units, classes)."""
    return (truth == torch.arange(classes)).to(torch.float32)


def _passed(truth: Tensor, outcome: Ordinal) -> Tensor:
    """Which boundaries lie below each unit's class, (units, boundaries)."""
    return (truth > torch.arange(outcome.outputs)).to(truth.dtype)


def _chosen(losses: Tensor, chosen: Tensor, choice: LossChoice) -> Tensor:
    """Losses (units,) weighted by the study's choice; ``chosen`` (units, classes) is one-hot."""
    if isinstance(choice, Focal):
        return losses * (-losses).expm1().neg() ** choice.gamma
    if isinstance(choice, Weighted):
        return losses * (chosen @ torch.tensor(choice.weights, dtype=losses.dtype))
    return losses
