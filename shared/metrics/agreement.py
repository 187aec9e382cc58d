"""Agreement of decisions beyond chance: Cohen's, weighted and Fleiss' kappa; McNemar's test of paired decisions."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binom, chi2, norm

from shared.metrics.tally import Floats


@dataclass(frozen=True)
class Agreement:
    """Kappa with its large-sample interval."""

    kappa: float
    low: float
    high: float


def cohen_kappa(table: npt.ArrayLike, quadratic: bool = False, level: float = 0.95) -> Agreement | None:
    """Kappa of two raters, ``table`` (classes, classes) of counts, with the error of Fleiss, Cohen and Everitt (1969).

    ``quadratic`` weights a disagreement by the squared distance of ordered classes. None where chance alone agrees.
    """
    counts = np.asarray(table, dtype=np.float64)
    n, classes = counts.sum(), len(counts)
    share = counts / n
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    place = np.arange(classes)
    apart = (place[:, None] - place) / max(classes - 1, 1)
    weights = 1 - apart**2 if quadratic else np.eye(classes)
    chance = float(rows @ weights @ columns)
    if chance >= 1:
        return None
    kappa = (float((weights * share).sum()) - chance) / (1 - chance)
    means = (weights @ columns)[:, None] + rows @ weights
    spread = float((share * (weights - means * (1 - kappa)) ** 2).sum()) - (kappa - chance * (1 - kappa)) ** 2
    half = float(norm.ppf((1 + level) / 2)) * math.sqrt(max(spread, 0.0) / n) / (1 - chance)
    return Agreement(kappa, kappa - half, kappa + half)


def fleiss_kappa(ratings: npt.ArrayLike) -> float:
    """Kappa of a fixed number of raters: ``ratings`` (subjects, classes) counts how many chose each class."""
    counts: Floats = np.asarray(ratings, dtype=np.float64)
    raters = counts.sum(axis=1)[0]
    observed = ((counts**2).sum(axis=1) - raters) / (raters * (raters - 1))
    chance = float(((counts.sum(axis=0) / counts.sum()) ** 2).sum())
    return float((observed.mean() - chance) / (1 - chance))


def mcnemar(only_first: int, only_second: int) -> tuple[float, float]:
    """(statistic, p) of patients whom only one of two methods decided correctly.

    Exact (the statistic is the smaller count) below 25 such patients, otherwise chi-squared with Edwards' correction.
    """
    total, smaller = only_first + only_second, min(only_first, only_second)
    if total < 25:
        return float(smaller), min(1.0, float(2 * binom.cdf(smaller, total, 0.5))) if total else 1.0
    statistic = max(abs(only_first - only_second) - 1, 0) ** 2 / total
    return statistic, float(chi2.sf(statistic, 1))
