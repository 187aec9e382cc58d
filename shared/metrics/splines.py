"""Restricted cubic splines: smooth between the knots, straight beyond them (Stone and Koo; Harrell 2015, 2.4.5)."""

import numpy as np

from shared.metrics.tally import Floats

PLACES = {3: (0.10, 0.50, 0.90), 4: (0.05, 0.35, 0.65, 0.95), 5: (0.05, 0.275, 0.50, 0.725, 0.95)}


def quantile_knots(values: Floats, count: int = 3) -> Floats:
    """Knots at Harrell's quantiles; they are order statistics of patients' values and stay where they are made."""
    return np.quantile(values, PLACES[count])


def spline_basis(values: Floats, knots: Floats) -> Floats:
    """Intercept, the value itself, and a term for each but two of the knots: (values, knots)."""
    first, before, last = knots[0], knots[-2], knots[-1]

    def cube(knot: float) -> Floats:
        return np.asarray(np.maximum(values - knot, 0) ** 3)

    terms = [
        cube(knot) - cube(before) * (last - knot) / (last - before) + cube(last) * (before - knot) / (last - before)
        for knot in knots[:-2]
    ]
    return np.stack([np.ones_like(values), values, *(term / (last - first) ** 2 for term in terms)], axis=1)
