"""Weights before, between and after the stages: the seeded start, the start of fusions, the average of a stage."""

import numpy as np
import numpy.typing as npt

from shared.study import Study
from shared.wire import Arrays


def initial_weights(study: Study) -> Arrays:
    """The study's seeded start; the same on every machine."""
    from shared.model import MultimodalModel

    return {name: value.detach().numpy() for name, value in MultimodalModel(study).named_parameters()}


def fused_start(study: Study, weights: Arrays) -> Arrays:
    """Weights with each fusion started from the trained heads of its modalities."""
    import torch

    from shared.model import MultimodalModel

    model = MultimodalModel(study)
    with torch.no_grad():
        for name, value in model.named_parameters():
            value.copy_(torch.from_numpy(np.array(weights[name])))
    model.start_fusions()
    return {name: value.detach().numpy() for name, value in model.named_parameters()}


class Averager:
    """Mean of the weights from round ``first`` of a stage on: after the noise, it costs no privacy."""

    def __init__(self, first: int, count: int = 0, sums: Arrays | None = None) -> None:
        self.first, self.count = first, count
        self.sums: dict[str, npt.NDArray[np.float64]] = dict(sums or {})

    def add(self, number: int, weights: Arrays) -> None:
        """Note the weights after round ``number`` (from 1); rounds before the first are passed over."""
        if number < self.first:
            return
        self.count += 1
        for name, values in weights.items():
            self.sums[name] = self.sums.get(name, np.zeros(values.shape)) + values

    def mean(self, last: Arrays) -> Arrays:
        """The average, in the type of ``last``."""
        return {name: (self.sums[name] / self.count).astype(values.dtype) for name, values in last.items()}
