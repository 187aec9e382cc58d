"""The Brier score from sums: mean squared distance of the probability from what happened."""

from dataclasses import dataclass
from fractions import Fraction

from scipy.special import expit

from shared.metrics.tally import Floats


@dataclass(frozen=True)
class BrierTally:
    """Patients, events, and the sum of squared errors, kept exactly so that the order of addition cannot matter."""

    n: int
    events: int
    squares: Fraction

    @classmethod
    def of(cls, outcome: Floats, score: Floats) -> "BrierTally":
        """Count patients; ``score`` is the log odds."""
        errors = (expit(score) - outcome) ** 2
        return cls(len(outcome), int(outcome.sum()), sum((Fraction(float(error)) for error in errors), Fraction(0)))

    def __add__(self, other: "BrierTally") -> "BrierTally":
        """Both groups together."""
        return BrierTally(self.n + other.n, self.events + other.events, self.squares + other.squares)

    def value(self) -> float:
        """The Brier score; lower is better."""
        return float(self.squares / self.n)
