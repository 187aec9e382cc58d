"""The contract of an encoder: a fixed front end that runs once a patient, and a small part that is trained."""

from collections.abc import Callable
from math import sqrt

import torch
from torch import Generator, Tensor, nn

Shape = tuple[int, ...]


class Encoder(nn.Module):
    """Turns patients into embeddings of ``width`` numbers.

    Every patient is encoded by himself: no BatchNorm, no dropout, no operation in place, nothing that mixes patients,
    so that ``torch.func.vmap`` over a batch of one gives each patient's own gradient. The all-zero item of a bag is
    an absent picture and has no influence.
    """

    width: int

    def prepare(self, raw: Tensor) -> Tensor:
        """Fixed front end of ONE patient, without trained parameters; deterministic, so it is run once and kept."""
        return raw

    def forward(self, x: Tensor) -> Tensor:
        """Embed prepared patients: (patients, *prepared shape) to (patients, width)."""
        raise NotImplementedError

    def start(self, generator: Generator) -> None:
        """Draw every initial weight; the same generator state gives the same weights at every hospital."""
        for module in self.modules():
            draw(module, generator)


def draw(module: nn.Module, generator: Generator, gain: float = 1.0) -> None:
    """Initial weights of one layer: normal with variance gain^2 / inputs (twice that before a ReLU), no bias."""
    if isinstance(module, (nn.Linear, nn.Conv2d, nn.Conv3d)):
        inputs = module.weight[0].numel()
        spread = gain * sqrt((1 if isinstance(module, nn.Linear) else 2) / inputs)
        nn.init.normal_(module.weight, std=spread, generator=generator)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.GroupNorm):
        nn.init.ones_(module.weight)
        nn.init.zeros_(module.bias)


def draw_readout(readout: nn.Linear, generator: Generator) -> None:
    """Start of a last layer on fixed features: zero for a single score (a logistic regression), small otherwise.

    Several scores that all start at zero would be stuck together with a head that starts symmetric.
    """
    if readout.out_features == 1:
        nn.init.zeros_(readout.weight)
    else:
        draw(readout, generator, gain=0.1)


def build(kind: Callable[[Shape, int], Encoder], shape: Shape, width: int, generator: Generator) -> Encoder:
    """An encoder with its initial weights; torch's global random state is neither read nor moved."""
    with torch.device("meta"):
        encoder = kind(shape, width)
    encoder = encoder.to_empty(device="cpu")
    encoder.start(generator)
    return encoder


def present(items: Tensor) -> Tensor:
    """Which items of bags are there, as 0 or 1: (patients, items, ...) to (patients, items)."""
    return (items.flatten(2).abs().amax(-1) > 0).to(items.dtype)


def mean_present(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over the items that are there, zero where none is: (patients, items, n) to (patients, n)."""
    count = mask.sum(1, keepdim=True).clamp(min=1)
    return (values * mask.unsqueeze(-1)).sum(1) / count
