"""How near predicted numbers come: errors, explained variance and the calibration line, all from sums."""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from shared.metrics.risk import exact
from shared.metrics.tally import Floats


@dataclass(frozen=True)
class RegressionTally:
    """Patients and sums over them, kept exactly so that the order of addition cannot matter."""

    n: int
    outcome: Fraction
    prediction: Fraction
    outcome_squares: Fraction
    prediction_squares: Fraction
    products: Fraction
    error_squares: Fraction
    absolute: Fraction

    @classmethod
    def of(cls, outcome: Floats, score: Floats) -> "RegressionTally":
        """Count patients; ``score`` is the predicted value, in the outcome's unit."""
        error = score - outcome
        columns = (outcome, score, outcome**2, score**2, outcome * score, error**2, np.abs(error))
        return cls(len(outcome), *(exact(column) for column in columns))

    def __add__(self, other: "RegressionTally") -> "RegressionTally":
        """Both groups together."""
        mine, theirs = vars(self), vars(other)
        return RegressionTally(*(mine[name] + theirs[name] for name in mine))

    @property
    def mae(self) -> float:
        """Mean absolute error."""
        return float(self.absolute / self.n)

    @property
    def rmse(self) -> float:
        """Root of the mean squared error."""
        return math.sqrt(self.error_squares / self.n)

    @property
    def r2(self) -> float | None:
        """Explained variance, 1 - error / variance; None where the outcome does not vary."""
        spread = self.outcome_squares - self.outcome**2 / self.n
        return float(1 - self.error_squares / spread) if spread > 0 else None

    @property
    def line(self) -> tuple[float, float] | None:
        """(intercept, slope) of the outcome on the prediction, ideally (0, 1); None where that does not vary."""
        spread = self.prediction_squares - self.prediction**2 / self.n
        if spread <= 0:
            return None
        slope = (self.products - self.prediction * self.outcome / self.n) / spread
        return float((self.outcome - slope * self.prediction) / self.n), float(slope)
