"""Statistics of each variable over the window, with one trained matrix: what clinicians read off a chart.

Largest, smallest, mean, standard deviation, trend, last and first value, and the share of the time with a measurement.
"""

import torch
from torch import Tensor

from shared.encoders.base import FixedFeatures, Spec, softened

STATISTICS = 8
MEAN, LOWEST, HIGHEST, OBSERVED = range(4)  # channels of a series
NEVER = 1e9


class WindowStatistics(FixedFeatures):
    """(patients, features) of ``statistics`` to (patients, width)."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(STATISTICS * spec.shape[1], spec.width)

    def prepare(self, raw: Tensor) -> Tensor:
        """Fixed features: (steps, variables, 4) to (features,)."""
        return softened(statistics(raw).flatten())


def statistics(raw: Tensor) -> Tensor:
    """(steps, variables, 4) to (8, variables), about one in size; a variable that was never observed is zeros."""
    seen = (raw[..., OBSERVED] > 0).float()
    count = seen.sum(0)
    some = count.clamp(min=1)
    values = torch.where(seen > 0, raw[..., MEAN], 0.0)
    mean = values.sum(0) / some
    off = (values - mean) * seen
    spread = (off.square().sum(0) / some).sqrt()
    time = torch.linspace(-1, 1, len(raw)).unsqueeze(1) if len(raw) > 1 else torch.zeros(1, 1)
    late = (time - (time * seen).sum(0) / some) * seen
    trend = (late * off).sum(0) / (late.square().sum(0) + 0.1)  # the addend tames a slope through two close points
    order = torch.arange(len(raw)).unsqueeze(1)
    last = values.gather(0, torch.where(seen > 0, order, -1).amax(0, keepdim=True).clamp(min=0))[0]
    first = values.gather(0, torch.where(seen > 0, order, len(raw) - 1).amin(0, keepdim=True))[0]
    highest = torch.where(seen > 0, raw[..., HIGHEST], -NEVER).amax(0)
    lowest = torch.where(seen > 0, raw[..., LOWEST], NEVER).amin(0)
    told = torch.stack([highest, lowest, mean, 3 * spread, 2 * trend, last, first, seen.mean(0)])
    return torch.where(count > 0, told, 0.0)
