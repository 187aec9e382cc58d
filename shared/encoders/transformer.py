"""A small transformer without dropout, normalised before each part, with fixed positions."""

from math import log, sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

HEADS = 4
GROWTH = 2  # of the hidden layer of each block


class TransformerBlock(nn.Module):
    """Self-attention and a hidden layer, each added to what it reads (Xiong et al., ICML 2020: norm first)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.before_attention, self.before_hidden = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.joined = nn.Linear(width, width)
        self.inner, self.outer = nn.Linear(width, GROWTH * width), nn.Linear(GROWTH * width, width)

    def start(self) -> None:
        """The identity: both parts add zero."""
        nn.init.zeros_(self.joined.weight)
        nn.init.zeros_(self.outer.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(patients, places, width) to the same."""
        x = x + self.joined(self._attended(self.before_attention(x)))
        out: Tensor = x + self.outer(functional.gelu(self.inner(self.before_hidden(x))))
        return out

    def _attended(self, x: Tensor) -> Tensor:
        patients, places, width = x.shape
        parts = self.query_key_value(x).reshape(patients, places, 3, HEADS, width // HEADS)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind()  # (patients, heads, places, width of a head) each
        shares = (query @ key.transpose(-1, -2) / sqrt(width // HEADS)).softmax(-1)
        out: Tensor = (shares @ value).transpose(1, 2).reshape(patients, places, width)
        return out


def positions(places: int, width: int) -> Tensor:
    """Sines and cosines of each place: (places, width) (Vaswani et al., NeurIPS 2017, section 3.5)."""
    pace = torch.exp(-log(10_000.0) * torch.arange(0, width, 2) / width)
    angle = torch.arange(places).unsqueeze(1) * pace
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)
