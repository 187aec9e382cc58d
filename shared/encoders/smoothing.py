"""Gaussian smoothing of pictures and volumes: the building block of the fixed front ends."""

from math import ceil

import torch
from torch import Tensor
from torch.nn import functional

REACH = 2.5  # standard deviations at which a Gaussian is cut off


def gaussian(x: Tensor, sigma: float) -> Tensor:
    """Smooth each channel: (channels, *space) to the same shape, ``sigma`` in pixels; edges are repeated."""
    radius = max(1, ceil(REACH * sigma))
    offsets = torch.arange(-radius, radius + 1, dtype=x.dtype)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = kernel / kernel.sum()
    for axis in range(1, x.ndim):
        x = _along(x, kernel, axis, radius)
    return x


def _along(x: Tensor, kernel: Tensor, axis: int, radius: int) -> Tensor:
    moved = x.movedim(axis, -1)
    lines = moved.reshape(-1, 1, moved.shape[-1])
    padded = functional.pad(lines, (radius, radius), mode="replicate")
    return functional.conv1d(padded, kernel.view(1, 1, -1)).reshape(moved.shape).movedim(-1, axis)


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
