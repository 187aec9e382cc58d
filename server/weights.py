"""Weights before, between and after the stages: the seeded start, the start of fusions, the average of a stage."""

import multiprocessing
import sys
from collections.abc import MutableMapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file

from server.disk import write_blocks
from shared.errors import RunError
from shared.study import Study
from shared.study_file import study_from_text
from shared.tensors import blocks
from shared.wire import Arrays


def initial_weights(study: Study, folder: Path) -> Arrays:
    """The study's seeded start; the same on every machine. Something may be written into ``folder`` for a moment."""
    return _built(study, {}, folder)


def fused_start(study: Study, weights: Arrays, folder: Path) -> Arrays:
    """Weights with each fusion started from the trained heads of its modalities."""
    return _built(study, weights, folder)


def _built(study: Study, weights: Arrays, folder: Path) -> Arrays:
    """In a process that ends with torch in it, where this one has none: a server needs no torch but here."""
    if "torch" in sys.modules:
        return _model(study, weights)
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder) as name:
        before, after = Path(name) / "before", Path(name) / "after"
        write_blocks(before, blocks(weights))
        context = multiprocessing.get_context("spawn")
        process = context.Process(target=_build_aside, args=(study.text, before, after))
        process.start()
        process.join()
        if process.exitcode:
            raise RunError(f"the study's models could not be built here (exit code {process.exitcode})")
        return dict(load_file(after))


def _build_aside(study: str, before: Path, after: Path) -> None:
    write_blocks(after, blocks(_model(study_from_text(study), load_file(before))))


def _model(study: Study, weights: Arrays) -> Arrays:
    import torch

    from shared.model import MultimodalModel

    model = MultimodalModel(study)
    if weights:
        with torch.no_grad():
            for name, value in model.named_parameters():
                value.copy_(torch.from_numpy(np.array(weights[name])))
        model.start_fusions()
    return {name: value.detach().numpy() for name, value in model.named_parameters()}


class Averager:
    """Mean of the weights from round ``first`` of a stage on: after the noise, it costs no privacy.

    ``sums`` may lie on the disk.
    """

    def __init__(self, first: int, sums: MutableMapping[str, npt.NDArray[np.float64]], count: int = 0) -> None:
        self.first, self.sums, self.count = first, sums, count

    def add(self, number: int, weights: Arrays) -> None:
        """Note the weights after round ``number`` (from 1); rounds before the first are passed over."""
        if number < self.first:
            return
        self.count += 1
        for name, values in weights.items():
            self.sums[name] = self.sums[name] + values if name in self.sums else values.astype(np.float64)

    def mean(self, last: Arrays) -> Arrays:
        """The average, in the type of ``last``."""
        return {name: (self.sums[name] / self.count).astype(values.dtype) for name, values in last.items()}
