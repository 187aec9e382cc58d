"""Canaries: invented patients whose gradient points one way, given to training as prepared inputs.

A canary has one modality with one large number in it. A patient is left out as the guarantee means it: an empty record
stands in his place, and the number of patients stays.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from scipy.linalg import qr
from torch import Tensor

from shared.batch import Batch
from shared.privacy.mechanism import StagePlan
from simulations.audit.release import Floats, Target, noiseless

SIZE = 8.0  # of the number: gradients are then longer than the clip, and stay so over the steps of a round
HUGE = 1000.0  # times that: where nothing clips, it shows
COORDINATES = 80  # tried in each modality at most
OTHERS = 40  # patients of the hospital in which all others oppose the canary
APART = 0.9  # a canary's own part of its gradient, in clips, beside those of other canaries
PROBED = 300  # real patients at most of whom each is left out once


@dataclass(frozen=True)
class Neighbours:
    """Patients with the one in question, and with an empty record in his place."""

    what: str
    whole: Batch
    emptied: Batch


@dataclass(frozen=True)
class Canaries:
    """Canaries as patients, and what each adds to a noiseless release: (canaries, parameters), in clips."""

    patients: Batch
    responses: Floats


def emptied(patients: Batch, out: Tensor) -> Batch:
    """Empty records in the place of some patients; ``out`` (patients,) bool."""
    inputs = {name: values.clone() for name, values in patients.inputs.items()}
    for values in inputs.values():
        values[out] = 0.0
    present = {name: mask & ~out for name, mask in patients.present.items()}
    return Batch(inputs, present, torch.where(out.unsqueeze(-1), 0.0, patients.outcome), patients.owner)


def candidates(target: Target, plan: StagePlan | None, rng: np.random.Generator) -> Canaries:
    """Every canary that is tried: each number of each modality that is trained here, with either outcome."""
    patients = Batch.joined(list(_candidates(target, rng)))
    alone = [patients.pick(torch.tensor([number])) for number in range(len(patients))]
    nothing = target.release(emptied(alone[0], torch.tensor([True])), noiseless(plan))
    return Canaries(patients, np.stack([target.release(one, noiseless(plan)) - nothing for one in alone]))


def _candidates(target: Target, rng: np.random.Generator) -> Iterator[Batch]:
    nothing = emptied(target.patients.pick(torch.tensor([0])), torch.tensor([True]))
    clip = max(getattr(target.study.privacy, "clip", 1.0), 1.0)
    for name in sorted({part for group in target.groups for part in group.split("+")}):
        numbers = nothing.inputs[name].numel()
        for place in sorted(rng.choice(numbers, min(numbers, COORDINATES), replace=False)):
            values = torch.zeros(numbers)
            values[place] = SIZE * clip
            for outcome in (0.0, 1.0):
                yield Batch(
                    {**nothing.inputs, name: values.view_as(nothing.inputs[name])},
                    {**nothing.present, name: torch.tensor([True])},
                    torch.tensor([[outcome]]),
                )


def apart(tried: Canaries, unit: float) -> Canaries:
    """Canaries that do not hide each other: each adds ``APART * unit`` at least that no other one adds."""
    triangle, order = qr(tried.responses.T, mode="r", pivoting=True)
    own = np.abs(np.diag(triangle))
    chosen = order[: int(np.sum(own >= APART * unit))]
    return Canaries(tried.patients.pick(torch.from_numpy(chosen.astype(np.int64))), tried.responses[chosen])


def opposed(tried: Canaries) -> tuple[int, int]:
    """The two canaries that point most against each other, of those that are as long as any."""
    lengths = np.linalg.norm(tried.responses, axis=1)
    longest = np.maximum(lengths.max(), 1e-12)
    one, other = np.unravel_index(np.argmin(tried.responses @ tried.responses.T / longest**2), (len(lengths),) * 2)
    return int(one), int(other)


def neighbours(target: Target, tried: Canaries, rng: np.random.Generator) -> Iterator[Neighbours]:
    """Pairs of which the worst is played: invented hospitals first, then this hospital without each of its patients."""
    one, other = opposed(tried)
    crowd = Batch.joined([tried.patients.pick(torch.tensor([one]))] * OTHERS)
    canary = tried.patients.pick(torch.tensor([other]))
    huge = Batch({n: HUGE * values for n, values in canary.inputs.items()}, canary.present, canary.outcome)
    for what, others, last in (
        ("a canary that all others oppose", crowd, canary),
        ("a huge canary that all others oppose", crowd, huge),
        ("a huge canary among the patients", target.patients, huge),
    ):
        yield _pair(what, Batch.joined([others, last]), len(others))
    count = len(target.patients)
    for number in sorted(rng.choice(count, min(count, PROBED), replace=False)):
        yield _pair("one of the patients", target.patients, int(number))


def _pair(what: str, patients: Batch, number: int) -> Neighbours:
    return Neighbours(what, patients, emptied(patients, torch.arange(len(patients)) == number))
