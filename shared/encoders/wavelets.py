"""Scattering of pictures and volumes by Haar wavelets: energies of the details at each scale, and of their unevenness.

Two layers of a scattering transform (Bruna and Mallat, IEEE TPAMI 2013) on the separable Haar basis:
nothing is fitted, and a shift of a picture by a few pixels changes little.
"""

from functools import lru_cache
from math import log

import torch
from torch import Tensor
from torch.nn import functional

from shared.encoders.base import FixedFeatures, Shape, Spec, softened
from shared.encoders.smoothing import centre_weight

SCALES = {2: 4, 3: 3}  # halvings of the sides, by dimensions; fewer where a side is too short
REACH = 0.45  # of a half side: the middle
TYPICAL = {2: log(0.02), 3: log(0.004)}  # a usual amplitude of a detail, by dimensions
UNEVEN = log(0.2)  # a usual amplitude of a detail's own details, as a part of its mean
FOLD = log(2.0)  # the factor that counts as one
TINY = 1e-4
CELLS = 4  # of the coarsest picture, a side


def haar(x: Tensor) -> Tensor:
    """One step of the transform: (channels, *space) to (2^dimensions, channels, *halved space), the smooth part first.

    A side of odd length repeats its last line.
    """
    sides = x.shape[1:]
    x = functional.pad(x.unsqueeze(0), [odd for side in reversed(sides) for odd in (0, side % 2)], mode="replicate")[0]
    parts = [x]
    for axis in range(1, x.ndim):
        parts = [part for whole in parts for part in _halves(whole, axis)]
    return torch.stack(parts)


def _halves(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Mean and half the difference of neighbours: what is smooth stays in the picture's own unit."""
    order = torch.arange(0, x.shape[axis], 2)
    even, odd = x.index_select(axis, order), x.index_select(axis, order + 1)
    return (even + odd) / 2, (even - odd) / 2


def depth(space: Shape) -> int:
    """How often the sides can be halved and still have two places."""
    return min(SCALES[len(space)], min(space).bit_length() - 2)


def scattering(x: Tensor) -> Tensor:
    """Features of one patient, about one in size: (channels, *space) in [0, 1] to (features,), in (-3, 3)."""
    scales, smooth, values = depth(tuple(x.shape[1:])), x, []
    for scale in range(scales):
        smooth, *details = haar(smooth)
        for detail in details:
            size = detail.abs()
            usual = TYPICAL[size.ndim - 1]
            values += [_amplitude(size, middle) - usual for middle in (False, True)]
            values += [second - _amplitude(size) - UNEVEN for second in _second(size, scales - scale - 1)]
    pool = functional.adaptive_avg_pool2d if smooth.ndim == 3 else functional.adaptive_avg_pool3d
    grid = pool(smooth, CELLS)
    mean = smooth.flatten(1).mean(1)
    cells = grid.flatten(1) - mean[:, None]
    return softened(torch.cat([*(value / FOLD for value in values), 4 * (mean - 0.5), 8 * cells.flatten()]))


def _second(size: Tensor, scales: int) -> list[Tensor]:
    """How uneven a detail's size is at each coarser scale, all directions together."""
    values = []
    for _ in range(scales):
        size, *details = haar(size)
        values.append(_amplitude(torch.stack(details).abs().mean(0)))
    return values


def _amplitude(size: Tensor, middle: bool = False) -> Tensor:
    """Log of the mean amplitude of each channel, in all or in the middle: (channels, *space) to (channels,)."""
    flat = size.flatten(1)
    mean = flat @ centre_weight(tuple(size.shape[1:]), REACH).flatten() if middle else flat.mean(1)
    return (mean + TINY).log()


@lru_cache
def count_features(shape: Shape) -> int:
    """How many features a patient of this shape has."""
    space = shape[1:]
    bands, scales = 2 ** len(space) - 1, depth(space)
    energies: int = sum(bands * (2 + scales - scale - 1) for scale in range(scales))
    cells: int = CELLS ** len(space)
    return shape[0] * (energies + 1 + cells)


class Wavelets(FixedFeatures):
    """(patients, features) of ``scattering`` to (patients, width)."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(count_features(spec.shape), spec.width)

    def prepare(self, raw: Tensor) -> Tensor:
        """Fixed features: (channels, *space) in [0, 1] to (features,)."""
        return scattering(raw)
