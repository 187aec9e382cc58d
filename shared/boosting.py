"""Boosted trees as they travel: XGBoost's JSON as bytes, taken apart before the library sees it; and what they read."""

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from shared.learners import Boosted
from shared.study import Study

if TYPE_CHECKING:
    from shared.batch import Batch  # with torch, which a server does without

STAGE = "boost"
PREFIX = "boosted."  # of the arrays' names, before the learner's own
NODE, FRAME = 400, 4000  # bytes at most of a node and of what stands around the trees
PARTS = ("left_children", "right_children", "split_indices", "split_conditions", "sum_hessian", "default_left")
OBJECTIVE = "binary:logistic"
Content = npt.NDArray[Any]  # (bytes,) uint8
Floats = npt.NDArray[np.float64]


def boosted_in(study: Study, arm: str) -> dict[str, Boosted]:
    """The boosted learners of a run's arm, by name."""
    return {name: own for name, own in study.boosted.items() if arm.partition(":")[0] in own.arms}


def rounds_of(study: Study, arm: str) -> int:
    """Rounds of the stage: those of the largest learner; smaller ones are then complete."""
    return max((own.trees for own in boosted_in(study, arm).values()), default=0)


def due(study: Study, arm: str, number: int) -> dict[str, Boosted]:
    """Learners that still grow in a round, from 1."""
    return {name: own for name, own in boosted_in(study, arm).items() if number <= own.trees}


def features(modalities: Sequence[str], batch: "Batch") -> tuple[Floats, list[slice]]:
    """Prepared inputs side by side with a column of presence for each modality, and each modality's columns."""
    parts, columns, start = [], [], 0
    for name in modalities:
        there = batch.present[name].numpy().astype(np.float64)[:, None]
        values = batch.inputs[name].flatten(1).numpy().astype(np.float64) * there
        parts += [values, there]
        columns.append(slice(start, start + values.shape[1] + 1))
        start = columns[-1].stop
    return np.concatenate(parts, axis=1), columns


def leaves_of(content: Content, depth: int, most: int) -> list[float]:
    """The weight (sum of Hessians) of each leaf of a booster, at least a quarter of its patients: for each tree its
    smallest.

    ValueError unless it is a plain booster of log odds, of at most ``most`` trees no deeper than ``depth``, with
    nothing else in it that could carry a message.
    """
    if content.dtype != np.uint8 or content.ndim != 1 or len(content) > FRAME + most * NODE * 2 ** (depth + 1):
        raise ValueError("is no booster of the declared size")
    try:
        learner = json.loads(content.tobytes())["learner"]
        model, frame = learner["gradient_booster"]["model"], learner["learner_model_param"]
        features, trees = int(frame["num_feature"]), model["trees"]
        plain = learner["objective"]["name"] == OBJECTIVE and learner["gradient_booster"]["name"] == "gbtree"
        bare = not (learner["attributes"] or learner["feature_names"] or learner["feature_types"])
        counted = int(model["gbtree_model_param"]["num_trees"]) == len(trees) == len(model["tree_info"])
        if not (plain and bare and counted and 0 < len(trees) <= most):
            raise ValueError
        return [_lightest_leaf(tree, features, depth) for tree in trees]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError, OverflowError):
        raise ValueError("is no booster of the declared depth and number of trees") from None


def _lightest_leaf(tree: dict[str, Any], features: int, depth: int) -> float:
    """The smallest leaf of a tree whose children lie behind their parents; ValueError for anything else."""
    left, right, splits, cuts, weights, _ = (tree[name] for name in PARTS)
    if len({len(tree[name]) for name in PARTS}) > 1 or not all(map(math.isfinite, [*cuts, *weights])):
        raise ValueError
    leaves, level = [], [(0, 0)]
    while level:
        node, below = level.pop()
        if left[node] == -1 == right[node]:
            leaves.append(float(weights[node]))
        elif below == depth or not 0 <= splits[node] < features or min(left[node], right[node]) <= node:
            raise ValueError
        else:
            level += [(left[node], below + 1), (right[node], below + 1)]
    return min(leaves)
