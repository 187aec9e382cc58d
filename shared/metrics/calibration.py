"""Whether risks mean what they say: in the large, their slope, a flexible curve, and its distance from them."""

import math
from collections.abc import Callable, Sequence
from functools import reduce
from operator import add

import numpy as np
from scipy.special import expit

from shared.metrics.newton import Fit, NewtonSums, logistic, maximise
from shared.metrics.splines import spline_basis
from shared.metrics.tally import Floats

Sites = Sequence[tuple[Floats, Floats]]  # (outcome, log odds) of each hospital, (patients,) each
Design = Callable[[Floats], tuple[Floats, Floats]]  # columns and offset from the log odds


def in_the_large(sites: Sites) -> Fit | None:
    """CITL: the intercept beside the log odds as an offset; 0 is ideal, above 0 the risks are too low."""
    return _fitted(sites, lambda odds: (np.ones((len(odds), 1)), odds))


def slope(sites: Sites) -> Fit | None:
    """(intercept, slope) of the logistic regression on the log odds; slope 1 is ideal, below 1 is overfitting."""
    return _fitted(sites, lambda odds: (np.stack([np.ones_like(odds), odds], axis=1), np.zeros_like(odds)))


def flexible(sites: Sites, knots: Floats) -> Fit | None:
    """The calibration curve as a restricted cubic spline of the log odds on ``knots`` that all hospitals share."""
    return _fitted(sites, lambda odds: (spline_basis(odds, knots), np.zeros_like(odds)))


def curve(fit: Fit, knots: Floats, odds: Floats) -> tuple[Floats, Floats, Floats]:
    """Observed risk at ``odds`` by the flexible curve, with its pointwise 95 % band."""
    basis = spline_basis(odds, knots)
    centre = basis @ fit.coefficients
    variance = np.einsum("ip,pq,iq->i", basis, fit.covariance, basis)
    half = 1.959963984540054 * np.sqrt(np.maximum(variance, 0.0))  # rounding can leave one of nothing below nothing
    return expit(centre), expit(centre - half), expit(centre + half)


def ici(fit: Fit, knots: Floats, odds: Floats) -> float:
    """Mean distance of the flexible curve from the predicted risk (Austin and Steyerberg 2019)."""
    return float(gaps(fit, knots, odds).mean())


def gaps(fit: Fit, knots: Floats, odds: Floats) -> Floats:
    """Distance of the curve from each patient's risk, (patients,): its median is E50, its 90th percentile E90."""
    return np.asarray(np.abs(curve(fit, knots, odds)[0] - expit(odds)))


def log_ratio_error(n: int, observed: int) -> float:
    """Standard error of log(O:E), the expected taken as fixed (Debray 2017)."""
    return math.sqrt((1 - observed / n) / observed)


def expected_calibration_error(outcome: Floats, risk: Floats, bins: int = 10) -> float:
    """Mean gap between risk and outcome over equal bins; it grows with their number, so the number is fixed."""
    place = np.minimum((risk * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(place, outcome, bins) - np.bincount(place, risk, bins)
    return float(np.abs(gaps).sum() / len(risk))


def _fitted(sites: Sites, design: Design) -> Fit | None:
    prepared = [(outcome, *design(odds)) for outcome, odds in sites]
    parts = [logistic(columns, outcome, offset) for outcome, columns, offset in prepared]

    def sums_at(beta: Floats) -> NewtonSums:
        return reduce(add, (part(beta) for part in parts))

    return maximise(sums_at, np.zeros(prepared[0][1].shape[1]))
