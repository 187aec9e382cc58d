"""Attention over the pictures of a patient: gated attention-based multiple instance learning on fixed features.

Ilse, Tomczak, Welling: Attention-based deep multiple instance learning, ICML 2018, equation 9.
"""

from torch import Generator, Tensor, nn

from shared.encoders.base import Encoder, Shape, draw_readout, present
from shared.encoders.filters import image_items
from shared.encoders.image_features import IMAGE_FEATURES

HIDDEN = 4
ABSENT = -1e9  # attention score of an absent picture before the softmax


class AttentionMil(Encoder):
    """A bag's features averaged with learned weights, then one matrix.

    All weights start equal (the plain mean), so that the pictures that show the lesion are found, not assumed.
    """

    def __init__(self, shape: Shape, width: int) -> None:
        super().__init__()
        self.width = width
        features = len(IMAGE_FEATURES)
        self.content = nn.Linear(features, HIDDEN)
        self.gate = nn.Linear(features, HIDDEN)
        self.score = nn.Linear(HIDDEN, 1, bias=False)
        self.readout = nn.Linear(features, width, bias=False)  # the head has the bias

    def start(self, generator: Generator) -> None:
        """Attention scores start at zero; the readout as for every encoder on fixed features."""
        super().start(generator)
        nn.init.zeros_(self.score.weight)
        draw_readout(self.readout, generator)

    def prepare(self, raw: Tensor) -> Tensor:
        """Fixed features of each picture: (items, channels, height, width) to (items, features)."""
        return image_items(raw)

    def attention(self, x: Tensor) -> Tensor:
        """How much each picture counts: (patients, items, features) to (patients, items); absent ones 0."""
        mask = present(x)
        scores = self.score(self.content(x).tanh() * self.gate(x).sigmoid()).squeeze(-1)
        weights: Tensor = scores.masked_fill(mask == 0, ABSENT).softmax(-1) * mask
        return weights

    def forward(self, x: Tensor) -> Tensor:
        """Embed prepared patients: (patients, items, features) to (patients, width)."""
        pooled = (x * self.attention(x).unsqueeze(-1)).sum(1)
        embedding: Tensor = self.readout(pooled)
        return embedding
