"""Sums that risks are judged by: the squared error (Brier), the logarithmic loss, and the events expected."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.special import expit

from shared.metrics.tally import Floats


@dataclass(frozen=True)
class RiskTally:
    """Patients, events, and three sums, kept exactly so that the order of addition cannot matter."""

    n: int
    events: int
    expected: Fraction
    squares: Fraction
    losses: Fraction

    @classmethod
    def of(cls, outcome: Floats, score: Floats) -> "RiskTally":
        """Count patients; ``score`` is the log odds."""
        risk, losses = expit(score), np.logaddexp(0, np.where(outcome == 1, -score, score))
        return cls(len(outcome), int(outcome.sum()), exact(risk), exact((risk - outcome) ** 2), exact(losses))

    def __add__(self, other: "RiskTally") -> "RiskTally":
        """Both groups together."""
        return RiskTally(
            self.n + other.n,
            self.events + other.events,
            self.expected + other.expected,
            self.squares + other.squares,
            self.losses + other.losses,
        )

    @property
    def brier(self) -> float:
        """Mean squared distance of the risk from what happened; lower is better."""
        return float(self.squares / self.n)

    @property
    def brier_scaled(self) -> float:
        """Share of the Brier score of the prevalence that the risks save; 1 is perfect, 0 useless."""
        prevalence = self.events / self.n
        return 1 - self.brier / (prevalence * (1 - prevalence))

    @property
    def log_loss(self) -> float:
        """Mean negative log-likelihood; lower is better."""
        return float(self.losses / self.n)

    @property
    def observed_expected(self) -> float:
        """O:E; above 1 the risks are too low."""
        return float(self.events / self.expected)


def exact(values: Iterable[float]) -> Fraction:
    """The sum without rounding."""
    return sum((Fraction(float(value)) for value in values), Fraction(0))
