"""Learners beside the networks: trees that a federation grows together, and those that cannot be federated."""

from typing import Literal

from pydantic import Field

from shared.sections import Name, Section, Share

ArmName = Literal["alone", "federated", "pooled"]


class Boosted(Section):
    """Gradient-boosted trees by bagging: in each of ``trees`` rounds every hospital adds a tree to the common ones.

    ``learning_rate`` is of a round, shared among its trees. A tree has patients' values in it: without privacy only.
    """

    modalities: tuple[Name, ...] = Field(min_length=1)
    trees: int = Field(default=50, ge=1, le=300)
    depth: int = Field(default=3, ge=1, le=6)
    learning_rate: Share = 0.3
    arms: tuple[ArmName, ...] = Field(default=("alone", "federated", "pooled"), min_length=1)


class Comparator(Section):
    """A learner that cannot be federated, for comparison: in a simulation's arms alone and pooled."""

    kind: Literal["knn-lasso", "lightgbm", "multi-kernel-svm", "xgboost"]
    modalities: tuple[Name, ...] = Field(min_length=1)
    arms: tuple[ArmName, ...] = Field(default=("alone", "pooled"), min_length=1)
