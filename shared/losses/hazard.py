"""The likelihood of a discrete-time hazard under censoring."""

import torch
from torch import Tensor
from torch.nn import functional

from shared.outcomes.loss_choice import LossChoice
from shared.outcomes.survival import Survival


def hazard_loss(scores: Tensor, truth: Tensor, outcome: Survival, choice: LossChoice) -> Tensor:
    """Negative log-likelihood (units,) of scores (units, intervals), log odds, by truth (units, 2), time and event.

    A unit survives every interval that it passed; an event counts in its own interval; a censored unit also survives
    the interval in whose second half it was censored.
    """
    ends = torch.tensor(outcome.cuts, dtype=truth.dtype)
    starts = torch.cat([torch.zeros(1, dtype=truth.dtype), ends[:-1]])
    time, event = truth[:, :1], truth[:, 1:]
    died = (time >= starts) & (time < ends) & (event == 1)
    survived = torch.where(event == 1, time >= ends, time >= (starts + ends) / 2)
    losses = functional.binary_cross_entropy_with_logits(scores, died.to(scores.dtype), reduction="none")
    return torch.where(died | survived, losses, 0.0).sum(-1)
