"""Gaussian smoothing of pictures and volumes: the building block of the fixed front ends."""

from functools import lru_cache
from math import ceil

import torch
from torch import Tensor

REACH = 2.5  # standard deviations at which a Gaussian is cut off


def gaussian(x: Tensor, sigma: float) -> Tensor:
    """Smooth each channel: (channels, *space) to the same shape, ``sigma`` in pixels; edges are repeated."""
    for axis in range(1, x.ndim):
        x = (x.movedim(axis, -1) @ _smoother(x.shape[axis], sigma).to(x.dtype)).movedim(-1, axis)
    return x


@lru_cache(maxsize=256)
def _smoother(side: int, sigma: float) -> Tensor:
    """(side, side): how much of each place (row) goes to each; faster than a convolution up to 1,024 pixels."""
    radius = max(1, ceil(REACH * sigma))
    offsets = torch.arange(-radius, radius + 1)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    sources = (torch.arange(side).unsqueeze(-1) + offsets).clamp(0, side - 1)
    return torch.zeros(side, side).scatter_add_(1, sources, (kernel / kernel.sum()).expand(side, -1)).T


def pyramid(x: Tensor, sigmas: tuple[float, ...]) -> list[Tensor]:
    """The same picture smoothed to rising scales, each from the one before: (channels, *space) each."""
    levels, reached = [], 0.0
    for sigma in sigmas:
        x = gaussian(x, (sigma**2 - reached**2) ** 0.5)
        levels.append(x)
        reached = sigma
    return levels


def centre_weight(shape: tuple[int, ...], reach: float) -> Tensor:
    """Gaussian weight around the middle of a box, summing to one; ``reach`` is its spread in half sides."""
    weight = torch.ones(())
    for side in shape:
        place = (torch.arange(side, dtype=torch.float32) - (side - 1) / 2) / (side / 2)
        weight = weight.unsqueeze(-1) * torch.exp(-0.5 * (place / reach) ** 2)
    return weight / weight.sum()


def squash(values: Tensor, centres: Tensor, scales: Tensor) -> Tensor:
    """Standardise by fixed public constants and bound to (-3, 3): no single patient can blow up a feature."""
    return 3 * torch.tanh((values - centres) / scales / 3)
