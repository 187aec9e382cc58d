"""Gated attention over the pictures of a patient.

Ilse, Tomczak, Welling: Attention-based deep multiple instance learning, ICML 2018, equation 9.
"""

from torch import Tensor, nn

HIDDEN = 4
ABSENT = -1e9  # attention score of an absent picture before the softmax


class GatedAttention(nn.Module):
    """A bag's features averaged with learned weights.

    All weights start equal (the plain mean), so that the pictures that show the lesion are found, not assumed.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.content = nn.Linear(features, HIDDEN)
        self.gate = nn.Linear(features, HIDDEN)
        self.score = nn.Linear(HIDDEN, 1, bias=False)

    def start(self) -> None:
        """Attention scores start at zero."""
        nn.init.zeros_(self.score.weight)

    def weights(self, x: Tensor, mask: Tensor) -> Tensor:
        """How much each item counts: (patients, items, features) and mask to (patients, items); absent ones 0."""
        scores = self.score(self.content(x).tanh() * self.gate(x).sigmoid()).squeeze(-1)
        shares: Tensor = scores.masked_fill(mask == 0, ABSENT).softmax(-1) * mask
        return shares

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(patients, items, features) and (patients, items) to (patients, features)."""
        return (x * self.weights(x, mask).unsqueeze(-1)).sum(1)
