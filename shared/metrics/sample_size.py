"""How many patients an external validation needs (Riley et al. 2021), in closed form."""

import math

import numpy as np
from scipy.special import expit
from scipy.stats import norm

from shared.metrics.tally import Floats

Z = 1.959963984540054


def auc_error(auc: float, prevalence: float, n: int) -> float:
    """Standard error of an AUC before there are data (Newcombe 2006)."""
    half = n / 2 - 1
    spread = 1 + half * (1 - auc) / (2 - auc) + half * auc / (1 + auc)
    return math.sqrt(auc * (1 - auc) * spread / (n**2 * prevalence * (1 - prevalence)))


def patients_for_auc(auc: float, prevalence: float, width: float = 0.1) -> int:
    """The fewest patients for a 95 % interval of the AUC no wider than ``width``."""
    low, high = 2, 4
    while 2 * Z * auc_error(auc, prevalence, high) > width:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        wide = 2 * Z * auc_error(auc, prevalence, middle) > width
        low, high = (middle, high) if wide else (low, middle)
    return high


def patients_for_ratio(prevalence: float, width: float = 0.2) -> int:
    """For a 95 % interval of O:E, at 1, no wider than ``width``."""
    error = math.asinh(width / 2) / Z  # exp(Z e) - exp(-Z e) = width
    return math.ceil((1 - prevalence) / (prevalence * error**2))


def patients_for_slope(odds: Floats, weights: Floats, width: float = 0.2) -> int:
    """For a 95 % interval of the calibration slope no wider than ``width``, the risks being calibrated.

    ``odds`` (points,) are the log odds that patients have, ``weights`` (points,) how many have them.
    """
    spread = weights / weights.sum() * expit(odds) * expit(-odds)
    constant, cross, square = spread.sum(), (spread * odds).sum(), (spread * odds**2).sum()
    error = width / (2 * Z)
    return math.ceil(float(constant / (error**2 * (constant * square - cross**2))))


def normal_log_odds(mean: float, deviation: float) -> tuple[Floats, Floats]:
    """Log odds that are normal, as points and weights."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(101)
    return mean + deviation * nodes, weights / weights.sum()


def log_odds_of(auc: float, prevalence: float) -> tuple[Floats, Floats]:
    """Calibrated log odds of that AUC, as points and weights: a normal for each class, d standard deviations apart.

    AUC = Phi(d / sqrt 2), and a score x standard deviations from the middle has log odds d x beyond the prevalence's.
    """
    d = math.sqrt(2) * float(norm.ppf(auc))
    middle = math.log(prevalence / (1 - prevalence))
    sides = [
        (normal_log_odds(middle + sign * d**2 / 2, d), share) for sign, share in ((1, prevalence), (-1, 1 - prevalence))
    ]
    odds, weights = zip(*((points, weight * share) for (points, weight), share in sides), strict=True)
    return np.concatenate(odds), np.concatenate(weights)
