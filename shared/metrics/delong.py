"""Area under the ROC curve with DeLong's variance and covariance, also where a patient has several rows."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from scipy.stats import norm, rankdata

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Areas:
    """AUC of each model (models,), and their covariance (models, models) as all score the same patients."""

    auc: Floats
    covariance: Floats


def auc_with_variance(outcome: npt.ArrayLike, score: npt.ArrayLike) -> tuple[float, float]:
    """AUC (higher score = more risk) and its DeLong variance.

    ``outcome`` (patients,) 0 or 1 with at least two of each, ``score`` (patients,); ValueError otherwise.
    """
    areas = paired_auc(outcome, np.asarray(score, dtype=np.float64)[None])
    return float(areas.auc[0]), float(areas.covariance[0, 0])


def paired_auc(outcome: npt.ArrayLike, scores: npt.ArrayLike) -> Areas:
    """AUCs of several models on the same patients, with their DeLong covariance (Sun and Xu 2014).

    ``outcome`` (patients,) 0 or 1 with at least two of each, ``scores`` (models, patients); ValueError otherwise.
    """
    above, below = _placements(np.asarray(outcome), np.asarray(scores, dtype=np.float64))
    covariance = sum(np.atleast_2d(np.cov(side)) / side.shape[1] for side in (above, below))
    return Areas(above.mean(axis=1), np.asarray(covariance))


def clustered_auc(outcome: npt.ArrayLike, scores: npt.ArrayLike, patient: npt.ArrayLike) -> Areas:
    """AUCs of rows with a covariance that counts patients, of whom each may have several rows (Obuchowski 1997).

    ``outcome`` (rows,), ``scores`` (models, rows), ``patient`` (rows,) any label. Both classes must occur at two
    patients or more; ValueError otherwise. With one row a patient it is DeLong's.
    """
    outcome, scores = np.asarray(outcome), np.asarray(scores, dtype=np.float64)
    number = np.unique(np.asarray(patient), return_inverse=True)[1]
    above, below = _placements(outcome, scores)
    auc, patients = above.mean(axis=1), number.max() + 1
    sides = []
    for placements, rows in ((above, outcome == 1), (below, outcome == 0)):
        of_rows = number[rows]
        present = len(np.unique(of_rows))
        if present < 2:
            raise ValueError("a clustered variance needs each class at two patients or more")
        sums = np.stack([np.bincount(of_rows, line, patients) for line in placements - auc[:, None]])
        sides.append((sums / len(of_rows), present))
    (events, with_event), (others, with_other) = sides
    cross = events @ others.T * patients / (patients - 1)
    covariance = events @ events.T * with_event / (with_event - 1) + others @ others.T * with_other / (with_other - 1)
    return Areas(auc, covariance + cross + cross.T)


def logit_interval(auc: float, variance: float, level: float = 0.95) -> tuple[float, float] | None:
    """Interval of an AUC, symmetric on the logit scale and so inside (0, 1); None at perfect separation."""
    if not 0 < auc < 1 or variance <= 0:
        return None
    centre = math.log(auc / (1 - auc))
    half = float(norm.ppf((1 + level) / 2)) * math.sqrt(variance) / (auc * (1 - auc))
    return float(expit(centre - half)), float(expit(centre + half))


def separated_bound(events: int, others: int, level: float = 0.95) -> float:
    """The lowest AUC that a perfect separation leaves possible, exact and conservative.

    Of min(events, others) disjoint pairs every one was concordant, which an AUC a has with probability a ** pairs.
    """
    return float(((1 - level) / 2) ** (1 / min(events, others)))


def _placements(outcome: npt.NDArray[np.generic], scores: Floats) -> tuple[Floats, Floats]:
    """Share of the other class that each event outscores, (models, events); of events above each other, likewise."""
    events, others = scores[:, outcome == 1], scores[:, outcome == 0]
    if events.shape[1] < 2 or others.shape[1] < 2:
        raise ValueError("an AUC with a variance needs at least two patients of each class")
    ranks = rankdata(np.concatenate([events, others], axis=1), axis=1)
    split = events.shape[1]
    above = (ranks[:, :split] - rankdata(events, axis=1)) / others.shape[1]
    below = 1 - (ranks[:, split:] - rankdata(others, axis=1)) / split
    return above, below
