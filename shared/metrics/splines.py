"""Restricted cubic splines: smooth between the knots, straight beyond them (Stone and Koo; Harrell 2015, 2.4.5)."""

import numpy as np

from shared.metrics.tally import Floats

PLACES = (-1.2815515655446004, 0.0, 1.2815515655446004)  # Harrell's 10th, 50th and 90th percentile of a normal


def moment_knots(mean: float, deviation: float) -> Floats:
    """Three knots from sums alone: the quantiles that Harrell advises are order statistics of patients' values."""
    return mean + deviation * np.array(PLACES)


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
