"""Fixed features of any picture: brightness, unevenness, edges and blobs at several scales, in all and in the middle.

Nothing is fitted: what is measured are logarithms of contrasts against one, and shares, so that no scaling is needed.
"""

from itertools import pairwise
from math import log

import torch
from torch import Tensor

from shared.encoders.base import softened
from shared.encoders.smoothing import centre_weight, pyramid

SIGMAS = (0.7, 1.5, 3.0, 6.0)  # pixels of a picture 64 high; grows with the picture
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
REACH = 0.45  # of a half side: the middle
TYPICAL, FOLD = log(0.03), log(4.0)  # a usual contrast of a band, and the factor that counts as one
BLOB = 0.15  # a usual height of the brightest or darkest place above its surroundings
TINY = 1e-4
CELLS = 4  # the smoothed picture on a coarse grid, cells a side
OWN = len(QUANTILES) + 1  # of a channel: quantiles and spread
SCALE = 6  # of a channel and scale: energy of the band and edges, each in all and in the middle; two blobs


def count_features(channels: int) -> int:
    """How many features a picture of so many channels has."""
    return channels * (OWN + SCALE * (len(SIGMAS) - 1) + CELLS * CELLS)


def picture_features(picture: Tensor) -> Tensor:
    """Features of one picture, about one in size: (channels, height, width) in [0, 1] to (features,), in (-3, 3)."""
    unit = picture.shape[1] / 64
    levels = pyramid(picture, tuple(sigma * unit for sigma in SIGMAS))
    middle = centre_weight(tuple(picture.shape[1:]), REACH)
    everywhere = torch.full_like(middle, 1 / middle.numel())
    quantiles = picture.flatten(1).quantile(torch.tensor(QUANTILES), dim=1)
    grid = torch.nn.functional.adaptive_avg_pool2d(levels[0], CELLS)
    mean = picture.mean((1, 2))
    values = [
        4 * (quantiles - 0.5).flatten(),
        4 * picture.flatten(1).std(1),
        8 * (grid - mean[:, None, None]).flatten(),
    ]
    for finer, coarser in pairwise(levels):
        band = finer - coarser
        for weight in (everywhere, middle):
            values += [_contrast(band**2, weight), _contrast(_slopes(finer) * unit**2, weight)]
        values += [band.flatten(1).amax(1) / BLOB - 1, -band.flatten(1).amin(1) / BLOB - 1]
    return softened(torch.cat(values))


def _contrast(squares: Tensor, weight: Tensor) -> Tensor:
    """Log of the weighted root mean square, about one in size: (channels, height, width) to (channels,)."""
    return (((squares * weight).sum((1, 2)) + TINY**2).sqrt().log() - TYPICAL) / FOLD


def _slopes(level: Tensor) -> Tensor:
    """Squared length of the gradient."""
    down, right = torch.gradient(level, dim=(1, 2))
    return down**2 + right**2
