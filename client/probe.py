"""Before a private stage is trained: does this very code, on this very model and loss, keep what privacy promises?

Three probes on invented patients of the study's shapes, through the code that trains: the sum of clipped gradients
must not move by more than the clip when one patient is taken out, must be the sum of each patient's own clipped
gradient, and must carry noise of the planned size. Of Poisson samples also: a draw of nobody is noised like any
other, and the sampler draws at the declared rate, never the same again, for a denominator that knows nobody. If one
fails, the run may not be called private.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import torch
from torch import Tensor

from client.sampling import SAMPLINGS, Draw, Population
from client.training import Round, gradient_mode, train_round
from shared.batch import Batch
from shared.errors import PrivacyRefusal
from shared.model import MultimodalModel
from shared.privacy.mechanism import Stage, StagePlan, plan_privacy
from shared.study import Study
from shared.study_file import study_from_text

SLACK = 1e-3  # relative, for float32 sums
DRAWS = 500  # of noise, at least
VOCABULARY = 4  # words that every vocabulary has
SURPRISE = 5.0  # standard errors that the noise's size, or that of the samples, may be off
PEOPLE, SAMPLES = 2000, 50  # of which the sampler draws, and how often
Shapes = tuple[tuple[str, tuple[int, ...], torch.dtype], ...]  # of each modality's prepared tensor


def require_sound(study: Study, stage: Stage, batch: Batch) -> None:
    """Probe a stage once in this process; PrivacyRefusal where a probe fails. ``batch`` gives the shapes only."""
    shapes = tuple((name, tuple(values.shape[1:]), values.dtype) for name, values in batch.inputs.items())
    if failed := _probe(study.text, stage, shapes):
        raise PrivacyRefusal("self-test-failed", f"{failed}; the run would not be private, so it is not trained")


@lru_cache
def _probe(text: str, stage: Stage, shapes: Shapes) -> str:
    """What failed, empty if nothing did."""
    study = study_from_text(text)
    plan = plan_privacy(study)
    if plan is None:
        return ""
    heavy = gradient_mode(study, stage) == "loop"
    batch = invented(study, shapes, 3 if heavy else 6)
    probe = _Probe(study, stage, plan.stages[stage])
    scale = float(torch.stack([probe.moved(batch.pick(row), math.inf).norm() for row in _each(batch)]).median())
    for clip in (scale,) if heavy else (0.1 * scale, scale, 10 * scale):
        whole = probe.moved(batch, clip)
        alone = [probe.moved(batch.pick(row), clip) for row in _each(batch)]
        without = [probe.moved(batch.pick(~row), clip) for row in _each(batch)]
        if max(float((whole - rest).norm()) for rest in without) > clip * (1 + SLACK):
            return "one patient moves the sum by more than the clip"
        if float((whole - torch.stack(alone).sum(dim=0)).norm()) > SLACK * max(clip, float(whole.norm())):
            return "the sum is not the sum of each patient's own gradient"
    nobody = batch.pick(torch.zeros(len(batch), dtype=torch.bool))
    return probe.noise_fault(batch) or sampling_fault(study) or probe.noise_fault(nobody)


def sampling_fault(study: Study) -> str:
    """What is wrong with who is drawn, through the sampler that trains; empty if nothing is."""
    training, rate = study.training, study.training.rate
    if training.sampling == "full":
        return ""
    people = max(PEOPLE, math.ceil(PEOPLE / (100 * min(rate, 1 - rate))))  # at least 20 are drawn, and 20 are not
    half = training.model_copy(update={"steps": SAMPLES // 2})
    population = Population(people, 2.0 * people, None)
    drawn = [draw for _ in range(2) for draw in SAMPLINGS[training.sampling](half, population)]
    counts = torch.stack([torch.bincount(draw.rows, minlength=people) for draw in drawn])
    spread = math.sqrt(counts.numel() * rate * (1 - rate))
    if not all(math.isclose(draw.denominator, rate * 2.0 * people) for draw in drawn):
        return "what the sum is divided by depends on who is drawn"
    if len(torch.unique(counts, dim=0)) < len(drawn):
        return "the same patients are drawn again"
    if int(counts.max()) > 1:
        return "a patient is drawn twice into one step"
    if abs(int(counts.sum()) - rate * counts.numel()) > SURPRISE * spread:
        return "patients are not drawn at the declared rate"
    return ""


class _Probe:
    """One step of the real training code, with the learning rate, momentum and decay out of the way."""

    def __init__(self, study: Study, stage: Stage, plan: StagePlan) -> None:
        plain = study.training.model_copy(
            update={"steps": 1, "learning_rate": 1.0, "momentum": 0.0, "weight_decay": 0.0, "proximal": 0.0}
        )
        self._study, self._stage, self._plan = study.model_copy(update={"training": plain}), stage, plan
        self._groups = frozenset(study.models)
        self._model = MultimodalModel(self._study)
        self._model.stand_in()  # what files give is fixed, and other numbers in its place prove the same
        _shake(self._model)
        self._start = [value.detach().clone() for value in self._model.parameters()]

    def moved(self, batch: Batch, clip: float, noise: float = 0.0) -> Tensor:
        """The sum that a step releases, flat: minus what the weights moved by."""
        plan = None if math.isinf(clip) else replace(self._plan, clip=clip, noise_multiplier=noise)
        model = self._model
        with torch.no_grad():
            for value, start in zip(model.parameters(), self._start, strict=True):
                value.copy_(start)
        before = _flat(model)
        everybody = [Draw(torch.arange(len(batch)), 1.0)]
        train_round(model, batch, Round(self._study, self._stage, self._groups, 1.0, plan), draws=everybody)
        return before - _flat(model)

    def noise_fault(self, batch: Batch) -> str:
        """Two steps on the same patients differ by noise alone: the sum of squares is chi-square."""
        clip, noise, count, squares = self._plan.clip, self._plan.noise_multiplier, 0, 0.0
        while count < DRAWS:  # a stage of few parameters needs several steps for a verdict
            difference = self.moved(batch, clip, noise).double() - self.moved(batch, clip, noise).double()
            moved = difference[difference != 0]
            if not len(moved):
                return "there is no noise"
            count += len(moved)
            squares += float((moved / (math.sqrt(2) * noise * clip)).square().sum())
        surprised = abs(squares - count) > SURPRISE * math.sqrt(2 * count) + SLACK * count
        return "the noise is not of the planned size" if surprised else ""


def invented(study: Study, shapes: Shapes, patients: int) -> Batch:
    """Patients of random numbers, the same at every call; one of them lacks the first modality.

    Where the study allows a patient several units, the last one has two.
    """
    chance, units = torch.Generator().manual_seed(0), patients + bool(study.unit.row)
    inputs = {name: _random((units, *shape), kind, chance) for name, shape, kind in shapes}
    present = {name: torch.ones(units, dtype=torch.bool) for name, *_ in shapes}
    if len(shapes) > 1:
        present[shapes[0][0]][0] = False
    truth = torch.tensor([study.outcome.example(number) for number in range(units)], dtype=torch.float32)
    return Batch(inputs, present, truth, torch.arange(units).clamp(max=patients - 1))


def _random(shape: tuple[int, ...], kind: torch.dtype, chance: torch.Generator) -> Tensor:
    """Normal draws; of whole numbers, which are places in a vocabulary, the first few."""
    if kind.is_floating_point:
        return torch.randn(shape, generator=chance)
    return torch.randint(0, VOCABULARY, shape, generator=chance).to(kind)


def _shake(model: MultimodalModel) -> None:
    """Off the start, where many gradients are zero and a fault could hide."""
    chance = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for value in model.parameters():
            value.add_(0.1 * torch.randn(value.shape, generator=chance))


def _each(batch: Batch) -> Iterator[Tensor]:
    for patient in range(batch.patients):
        yield batch.owner == patient


def _flat(model: MultimodalModel) -> Tensor:
    return torch.cat([value.detach().flatten() for value in model.parameters()])
