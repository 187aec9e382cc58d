"""Squared error of numbers in units of half their declared range."""

from torch import Tensor

from shared.outcomes.loss_choice import LossChoice
from shared.outcomes.numbers import Numbers


def squared_loss(scores: Tensor, truth: Tensor, outcome: Numbers, choice: LossChoice) -> Tensor:
    """Mean squared error (units,) over the horizons: scores and truth (units, numbers), scaled to [-1, 1]."""
    return (scores - truth).square().mean(-1)
