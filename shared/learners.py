"""Learners beside the networks: trees and Cox regressions of a federation, and those that cannot be federated."""

from typing import Literal

from pydantic import Field

from shared.sections import Name, Positive, Section, Share

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


class Cox(Section):
    """A Cox regression fitted by sums of all hospitals, each a stratum with a baseline hazard of its own.

    It reads a table's columns, and of any other modality the embedding of its trained encoder. ``ridge`` times half
    the squared length of the coefficients is the penalty. A patient's part in the sums depends on who else is at risk,
    so that no clip bounds it: without privacy only.
    """

    modalities: tuple[Name, ...] = Field(min_length=1)
    ridge: Positive = 1.0
    arms: tuple[ArmName, ...] = Field(default=("alone", "federated", "pooled"), min_length=1)


class Comparator(Section):
    """A learner that cannot be federated, for comparison: in a simulation's arms alone and pooled."""

    kind: Literal["knn-lasso", "lightgbm", "multi-kernel-svm", "xgboost"]
    modalities: tuple[Name, ...] = Field(min_length=1)
    arms: tuple[ArmName, ...] = Field(default=("alone", "pooled"), min_length=1)
