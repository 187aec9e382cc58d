"""Which patients a step of training reads: all of them, a Poisson sample, or shuffled mini-batches.

Under privacy nobody may know or repeat who was drawn: the accountants count on a secret sample, so it comes from the
operating system's entropy, as the noise does. Without privacy it comes from the study's seed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from shared.batch import Batch
from shared.privacy.noise import uniform
from shared.study import Training

# What one pass holds at most: per-patient gradients (numbers, a quarter of a gigabyte), and patients.
NUMBERS, PATIENTS = 2**26, 256


@dataclass(frozen=True)
class Draw:
    """The patients of a step, (drawn,) rows in any number, none included; and what their sum is divided by."""

    rows: Tensor
    denominator: float


@dataclass(frozen=True)
class Population:
    """How many patients there are here, how many are declared, and where chance comes from (None: entropy)."""

    present: int
    declared: float
    chance: np.random.Generator | None


def full(training: Training, population: Population) -> Iterator[Draw]:
    """Everybody, in every step."""
    everybody = torch.arange(population.present)
    for _ in range(training.steps):
        yield Draw(everybody, population.declared)


def poisson(training: Training, population: Population) -> Iterator[Draw]:
    """Each patient with probability ``sample_rate``, independently of all others and of other steps.

    The denominator is the declared size's share: it does not depend on who or how many were drawn.
    """
    for _ in range(training.steps):
        count, chance = population.present, population.chance
        draws = uniform(count) if chance is None else chance.random(count)
        yield Draw(torch.from_numpy(np.flatnonzero(draws < training.rate)), training.rate * population.declared)


def shuffled(training: Training, population: Population) -> Iterator[Draw]:
    """The next ``batch`` patients of an order drawn anew for each pass; the last batch of a pass can be smaller."""
    assert training.batch is not None
    assert population.chance is not None, "no accountant covers shuffled batches"
    waiting = np.empty(0, dtype=np.int64)
    for _ in range(training.steps):
        if not len(waiting):
            waiting = population.chance.permutation(population.present)
        rows, waiting = waiting[: training.batch], waiting[training.batch :]
        yield Draw(torch.from_numpy(rows), float(max(len(rows), 1)))


SAMPLINGS: dict[str, Callable[[Training, Population], Iterator[Draw]]] = {
    "full": full,
    "poisson": poisson,
    "shuffled": shuffled,
}


def passes(batch: Batch, draw: Draw, parameters: int) -> list[Batch]:
    """The drawn patients in parts that memory holds; nobody is left out, and nobody drawn is one empty part.

    A patient's units stay together, as their gradients are averaged before the clip.
    """
    units = int(torch.bincount(batch.owner).max()) if batch.repeated else 1  # of one patient, at most
    most = max(1, min(PATIENTS, NUMBERS // parameters) // units)
    if len(draw.rows) == batch.patients <= most:  # everybody at once: a sum has no order
        return [batch]
    return [batch.pick(_units(batch, rows)) for rows in torch.split(draw.rows, most)]


def _units(batch: Batch, patients: Tensor) -> Tensor:
    """The units of these patients, as indices or a mask."""
    return torch.isin(batch.owner, patients) if batch.repeated else patients
