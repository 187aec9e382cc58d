"""Area under the ROC curve with DeLong's variance (Sun and Xu 2014) and its interval on the logit scale."""

import math

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from scipy.stats import norm, rankdata

Floats = npt.NDArray[np.float64]


def auc_with_variance(outcome: npt.ArrayLike, score: npt.ArrayLike) -> tuple[float, float]:
    """AUC (higher score = more risk) and its DeLong variance.

    ``outcome`` (patients,) 0 or 1 with at least two of each, ``score`` (patients,); ValueError otherwise.
    """
    outcome, score = np.asarray(outcome), np.asarray(score, dtype=np.float64)
    events, others = score[outcome == 1], score[outcome == 0]
    if len(events) < 2 or len(others) < 2:
        raise ValueError("an AUC with a variance needs at least two patients of each class")
    ranks = rankdata(np.concatenate([events, others]))
    above = (ranks[: len(events)] - rankdata(events)) / len(others)  # placement of each event among the others
    below = 1 - (ranks[len(events) :] - rankdata(others)) / len(events)
    variance = np.var(above, ddof=1) / len(events) + np.var(below, ddof=1) / len(others)
    return float(above.mean()), float(variance)


def logit_interval(auc: float, variance: float, level: float = 0.95) -> tuple[float, float] | None:
    """Interval of an AUC, symmetric on the logit scale and so inside (0, 1); None at perfect separation."""
    if not 0 < auc < 1 or variance <= 0:
        return None
    centre = math.log(auc / (1 - auc))
    half = float(norm.ppf((1 + level) / 2)) * math.sqrt(variance) / (auc * (1 - auc))
    return float(expit(centre - half)), float(expit(centre + half))
