"""Decisions at a frozen threshold: the table of true and false positives and negatives, and its Wilson intervals."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from shared.metrics.tally import Floats


@dataclass(frozen=True)
class ConfusionTally:
    """Counts at a threshold; a score at or above it is a positive decision."""

    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int

    @classmethod
    def of(cls, outcome: Floats, score: Floats) -> "ConfusionTally":
        """Count patients; ``score`` is the log odds minus the threshold's, so that the cut is at 0."""
        positive, event = score >= 0, outcome == 1
        pairs = ((positive, event), (positive, ~event), (~positive, ~event), (~positive, event))
        return cls(*(int(np.sum(decision & truth)) for decision, truth in pairs))

    def __add__(self, other: "ConfusionTally") -> "ConfusionTally":
        """The table of both groups together."""
        return ConfusionTally(
            self.true_positives + other.true_positives,
            self.false_positives + other.false_positives,
            self.true_negatives + other.true_negatives,
            self.false_negatives + other.false_negatives,
        )

    @property
    def cells(self) -> tuple[int, int, int, int]:
        """The four counts."""
        return self.true_positives, self.false_positives, self.true_negatives, self.false_negatives

    @property
    def proportions(self) -> dict[str, tuple[int, int]]:
        """(right, of how many) of each measure that is a proportion, and so has Wilson's interval."""
        tp, fp, tn, fn = self.cells
        return {
            "sensitivity": (tp, tp + fn),
            "specificity": (tn, tn + fp),
            "ppv": (tp, tp + fp),
            "npv": (tn, tn + fn),
            "accuracy": (tp + tn, tp + fp + tn + fn),
        }

    @property
    def f1(self) -> float | None:
        """Harmonic mean of sensitivity and PPV; None where there is neither an event nor a positive decision."""
        wrong = self.false_positives + self.false_negatives
        both = 2 * self.true_positives + wrong
        return 2 * self.true_positives / both if both else None


def wilson(successes: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a proportion; ``trials`` must be positive."""
    z = float(ndtri((1 + level) / 2))
    share, scale = successes / trials, 1 + z**2 / trials
    half = z * float(np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2)))
    return (share + z**2 / (2 * trials) - half) / scale, (share + z**2 / (2 * trials) + half) / scale
