"""AUCs of an outcome with several classes, at one site: Hand and Till's, and each class against the rest."""

from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from shared.metrics.delong import Areas, Floats, paired_auc


def hand_till(outcome: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Mean over pairs of classes of how well the scores tell the two apart (Hand and Till 2001).

    ``outcome`` (patients,) class numbers from 0; ``scores`` (classes, patients), as probabilities, or (patients,) for
    one marker whose direction may differ by pair, as in pROC.
    """
    outcome, scores = np.asarray(outcome, dtype=np.int64), np.asarray(scores, dtype=np.float64)
    areas = []
    for low, high in combinations(np.unique(outcome), 2):
        pair = np.isin(outcome, (low, high))
        truth = outcome[pair] == high
        if scores.ndim == 1:
            area = float(_auc(truth, scores[pair]))
            areas.append(max(area, 1 - area))
        else:
            areas.append((_auc(truth, scores[high][pair]) + _auc(~truth, scores[low][pair])) / 2)
    return float(np.mean(areas))


def one_against_rest(outcome: npt.ArrayLike, scores: npt.ArrayLike) -> tuple[Floats, Floats, tuple[float, float]]:
    """AUC (classes,) of each class against all others, its variance, and the macro mean with its variance.

    ``outcome`` (patients,) class numbers, ``scores`` (classes, patients); two patients of each class at the least. The
    macro variance takes the classes' influences together, as they are of the same patients.
    """
    outcome, scores = np.asarray(outcome, dtype=np.int64), np.asarray(scores, dtype=np.float64)
    areas: list[Areas] = [paired_auc(outcome == klass, scores[klass][None]) for klass in range(len(scores))]
    influence = np.stack([_influence(outcome == klass, scores[klass]) for klass in range(len(scores))])
    macro = float(np.mean([area.auc[0] for area in areas]))
    variance = float(np.sum(influence.mean(axis=0) ** 2))
    return (
        np.array([area.auc[0] for area in areas]),
        np.array([area.covariance[0, 0] for area in areas]),
        (macro, variance),
    )


def _auc(truth: npt.NDArray[np.bool_], score: Floats) -> float:
    events = int(truth.sum())
    return float((rankdata(score)[truth].sum() - events * (events + 1) / 2) / (events * (len(truth) - events)))


def _influence(truth: npt.NDArray[np.bool_], score: Floats) -> Floats:
    """What each patient adds to the AUC's error; the squares add up to DeLong's variance."""
    ranks, influence = rankdata(score), np.empty(len(score))
    for side, sign in ((truth, 1.0), (~truth, -1.0)):
        placed = (ranks[side] - rankdata(score[side])) / (len(score) - side.sum())
        count = int(side.sum())
        influence[side] = sign * (placed - placed.mean()) / np.sqrt(count * (count - 1))
    return influence
