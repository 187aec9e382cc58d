"""A binary outcome: one score a patient, the log odds of an event."""

from torch import Tensor
from torch.nn import functional


class Binary:
    """Cross-entropy on the log odds; a higher score means more risk."""

    scores = 1

    @staticmethod
    def loss(score: Tensor, outcome: Tensor) -> Tensor:
        """Loss of each patient, independent of the others: (patients,), (patients,) -> (patients,)."""
        return functional.binary_cross_entropy_with_logits(score, outcome, reduction="none")

    @staticmethod
    def probability(score: Tensor) -> Tensor:
        """Probability of an event: (patients,) -> (patients,)."""
        return score.sigmoid()
