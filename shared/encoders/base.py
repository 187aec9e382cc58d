"""The contract of an encoder: a fixed front end that runs once a patient, and a small part that is trained."""

from collections.abc import Callable
from math import sqrt
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Generator, Tensor, nn

Shape = tuple[int, ...]
LENGTH = 3.0  # of a patient's fixed features: gradient descent at rates up to 0.5 stays stable whatever their number
BOUND = 3.0  # of one feature
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


class Spec(Protocol):
    """What every encoder reads of its modality's section."""

    @property
    def width(self) -> int:
        """Numbers of an embedding."""

    @property
    def shape(self) -> Shape:
        """Shape of one patient before ``prepare``."""


class Encoder(nn.Module):
    """Turns patients into embeddings of ``width`` numbers; built from its modality's section of the study.

    Every patient is encoded by himself: no BatchNorm, no dropout, no operation in place, nothing that mixes patients,
    so that ``torch.func.vmap`` over a batch of one gives each patient's own gradient. The all-zero item of a bag is
    an absent picture and has no influence.
    """

    width: int
    weights: str | None = None  # SHA-256 of the pre-trained file or folder that it needs from the hospital's disk

    def attach(self, path: Path) -> None:
        """Load the pre-trained file or folder; before ``prepare`` and ``forward``. SiteError where it does not fit.

        What comes from it is no parameter and never travels: the server builds the same parameters without it.
        """
        raise NotImplementedError

    def stand_in(self) -> None:
        """Invent what ``attach`` would load, for the self-test and for timing only; nothing where nothing is loaded."""

    def prepare(self, raw: Tensor) -> Tensor:
        """Fixed front end of ONE patient, without trained parameters; deterministic, so it is run once and kept.

        Always float32 of one shape: an identifier of a word or code is a whole number there, and zero is "none".
        """
        return raw

    def forward(self, x: Tensor) -> Tensor:
        """Embed prepared patients: (patients, *prepared shape) to (patients, width)."""
        raise NotImplementedError

    def start(self, generator: Generator) -> None:
        """Draw every initial weight; the same generator state gives the same weights at every hospital."""
        for module in self.modules():
            draw(module, generator)


class FixedFeatures(Encoder):
    """(patients, features) to (patients, width) by one matrix; with width 1 a logistic regression's score."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.readout = nn.Linear(features, width, bias=False)  # the head has the bias

    def start(self, generator: Generator) -> None:
        """Zero for a single score, small otherwise."""
        draw_readout(self.readout, generator)

    def forward(self, x: Tensor) -> Tensor:
        """Embed prepared patients: (patients, features) to (patients, width)."""
        embedding: Tensor = self.readout(x)
        return embedding


def draw(module: nn.Module, generator: Generator, gain: float = 1.0) -> None:
    """Initial weights of one layer: normal with variance gain^2 / inputs (twice that before a ReLU), no bias."""
    if isinstance(module, (nn.Linear, *CONVOLUTIONS)):
        spread = gain * sqrt((1 if isinstance(module, nn.Linear) else 2) / module.weight[0].numel())
        nn.init.normal_(module.weight, std=spread, generator=generator)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, (nn.GroupNorm, nn.LayerNorm)):
        nn.init.ones_(module.weight)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=gain / sqrt(module.embedding_dim), generator=generator)
    elif isinstance(module, (nn.LSTM, nn.GRU)):
        for name, weight in module.named_parameters():
            if name.startswith("bias"):
                nn.init.zeros_(weight)
            else:
                nn.init.normal_(weight, std=gain / sqrt(weight.shape[1]), generator=generator)


def draw_readout(readout: nn.Linear, generator: Generator) -> None:
    """Start of a last layer on fixed features: zero for a single score (a logistic regression), small otherwise.

    Several scores that all start at zero would be stuck together with a head that starts symmetric.
    """
    if readout.out_features == 1:
        nn.init.zeros_(readout.weight)
    else:
        draw(readout, generator, gain=0.1)


def build(kind: Callable[[Any], Encoder], spec: Spec, generator: Generator) -> Encoder:
    """An encoder with its initial weights; torch's global random state is neither read nor moved."""
    encoder = skeleton(kind, spec).to_empty(device="cpu")
    with torch.no_grad():
        for weight in encoder.parameters():
            weight.fill_(torch.nan)  # a weight that ``start`` forgets is seen at once
        encoder.start(generator)
    return encoder


def skeleton(kind: Callable[[Any], Encoder], spec: Spec) -> Encoder:
    """An encoder without memory for its weights: to count them."""
    with torch.device("meta"):
        return kind(spec)


def present(items: Tensor) -> Tensor:
    """Which items of bags are there, as 0 or 1: (patients, items, ...) to (patients, items)."""
    return (items.flatten(2).abs().amax(-1) > 0).to(items.dtype)


def mean_present(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over the items that are there, zero where none is: (patients, items, n) to (patients, n)."""
    count = mask.sum(1, keepdim=True).clamp(min=1)
    return (values * mask.unsqueeze(-1)).sum(1) / count


def softened(values: Tensor) -> Tensor:
    """Bound features of size one to (-3, 3): no single patient can blow one up, and no NaN gets through.

    Many features are made smaller together, so that all of them have about one length.
    """
    return min(1.0, LENGTH / sqrt(values.numel())) * BOUND * torch.tanh(torch.nan_to_num(values) / BOUND)
