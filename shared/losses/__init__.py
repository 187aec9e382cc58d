"""How a model learns an outcome, one file per family; every loss is of a unit by itself, which privacy relies on."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from shared.losses.binary import binary_loss, multilabel_loss
from shared.losses.classes import multiclass_loss, ordinal_loss
from shared.losses.hazard import hazard_loss
from shared.losses.squared import squared_loss
from shared.study import Study

# (scores (units, outputs), truth (units, truths), the study's outcome, its choice of a loss) -> (units,)
LOSSES: dict[str, Callable[[Tensor, Tensor, Any, Any], Tensor]] = {
    "binary": binary_loss,
    "early-warning": binary_loss,
    "multiclass": multiclass_loss,
    "ordinal": ordinal_loss,
    "multilabel": multilabel_loss,
    "survival": hazard_loss,
    "regression": squared_loss,
    "forecast": squared_loss,
}


def unit_losses(study: Study, scores: Tensor, truth: Tensor) -> Tensor:
    """Loss of each unit, (units,): scores (units, outputs), truth (units, truths)."""
    return LOSSES[study.outcome.kind](scores, truth, study.outcome, study.training.loss)
