"""Convolutions over the bytes of a sequence, which may first learn to guess masked bytes of the hospital's own.

The guessing is self-supervised: it needs no outcome, and its layer of guesses stays at the hospital. It reads the
patients without a clip or noise, so a study under dp-sgd may not ask for it.
"""

import torch
from torch import Generator, Tensor, nn

from shared.encoders.base import Encoder, draw, mean_present
from shared.modalities.payload import Payload

VALUES = 258  # zero for none, each byte plus one, and the mask
MASK = 257
EMBEDDING, CHANNELS, KERNEL, GROUPS = 16, 48, 7, 8
MASKED, RATE, ROWS = 0.15, 2e-3, 32  # share of bytes that are hidden, Adam's rate, sequences of a step


class ByteCnn(Encoder):
    """(patients, bytes) to (patients, width): embedding, two convolutions, mean and maximum over the sequence."""

    def __init__(self, spec: Payload) -> None:
        super().__init__()
        self.width = spec.width
        self.pretraining = spec.pretraining
        self.embedding = nn.Embedding(VALUES, EMBEDDING)
        self.first = nn.Conv1d(EMBEDDING, CHANNELS, KERNEL, padding=KERNEL // 2)
        self.second = nn.Conv1d(CHANNELS, CHANNELS, KERNEL, padding=KERNEL // 2)
        self.norm = nn.LayerNorm(CHANNELS)
        self.readout = nn.Linear(2 * CHANNELS, spec.width)

    def prepare(self, raw: Tensor) -> Tensor:
        """Bytes plus one as numbers: (bytes,)."""
        return raw.float()

    def places(self, x: Tensor) -> Tensor:
        """Features of each place: (patients, bytes) to (patients, bytes, channels); those after the end are zeros."""
        there = (x != 0).float().unsqueeze(1)
        values = self.embedding(x.long().remainder(VALUES)).transpose(1, 2) * there
        inner = self.first(values).relu() * there
        outer = self.second(inner) + inner
        out: Tensor = self.norm(outer.transpose(1, 2)).relu() * there.transpose(1, 2)
        return out

    def forward(self, x: Tensor) -> Tensor:
        """Embed prepared patients."""
        places = self.places(x)
        pooled = torch.cat([mean_present(places, (x != 0).float()), places.amax(1)], dim=-1)
        embedding: Tensor = self.readout(pooled)
        return embedding

    def pretrain(self, x: Tensor, generator: Generator) -> None:
        """Guess masked bytes of (sequences, bytes) for the study's epochs; changes the encoder's weights in place."""
        guess = nn.Linear(CHANNELS, VALUES)
        draw(guess, generator)
        optimizer = torch.optim.Adam([*self.parameters(), *guess.parameters()], lr=RATE)
        for _ in range(self.pretraining):
            for rows in torch.split(torch.randperm(len(x), generator=generator), ROWS):
                true = x[rows]
                hidden = (torch.rand(true.shape, generator=generator) < MASKED) & (true != 0)
                scores = guess(self.places(torch.where(hidden, float(MASK), true))[hidden])
                loss = nn.functional.cross_entropy(scores, true[hidden].long(), reduction="sum") / hidden.sum().clamp(1)
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                optimizer.step()
