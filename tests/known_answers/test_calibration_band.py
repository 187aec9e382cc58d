"""The band of a calibration curve where its variance is rounded."""

import numpy as np

from shared.metrics.calibration import curve
from shared.metrics.newton import Fit
from shared.metrics.splines import spline_basis


def test_a_variance_rounded_below_nothing_gives_no_width_and_no_warning() -> None:
    knots, odds = np.array([-1.0, 0.0, 1.0]), np.linspace(-2, 2, 5)
    basis = spline_basis(odds, knots)
    width = basis.shape[1]
    fit = Fit(np.zeros(width), -1e-18 * np.eye(width), 0.0, 0.0)
    with np.errstate(invalid="raise"):
        centre, low, high = curve(fit, knots, odds)
    assert np.array_equal(low, centre)
    assert np.array_equal(high, centre)
