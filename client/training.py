"""One round of training at a hospital: steps on per-patient gradients, clipped and noised under privacy.

With mechanism "none" the same steps run with an infinite clip and no noise.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from opacus.accountants import RDPAccountant
from opacus.optimizers import DPOptimizer
from torch import Tensor, nn
from torch.func import functional_call

from client.gradients import Parameters, PatientLoss, Vector, clip_patients, patient_gradients, recordings_of
from client.sampling import SAMPLINGS, Draw, Population, passes
from shared.batch import Batch
from shared.encoders import ENCODERS
from shared.losses import unit_losses
from shared.model import MultimodalModel, scored
from shared.parameters import group_of, in_stage
from shared.privacy.mechanism import StagePlan
from shared.privacy.noise import gaussian
from shared.study import DpSgd, Study

BLOCK = 65_536  # numbers that are noised at a time: what a processor's cache holds


class CryptographicOptimizer(DPOptimizer):  # type: ignore[misc]
    """Opacus' optimizer with its noise taken from the cryptographic stream, in float64; nothing else is changed.

    A few weights' noise is drawn for up to ``steps`` steps at once, that of many in blocks.
    """

    def __init__(
        self,
        descent: torch.optim.Optimizer,
        *,
        noise_multiplier: float,
        max_grad_norm: float,
        expected_batch_size: float,
        steps: int,
    ) -> None:
        super().__init__(
            descent,
            noise_multiplier=noise_multiplier,
            max_grad_norm=max_grad_norm,
            expected_batch_size=expected_batch_size,
            loss_reduction="mean",
        )
        self._steps = steps
        self._drawn: Iterator[Tensor] = iter(())

    def add_noise(self) -> None:
        """Noise the clipped sums; no noise where the multiplier is zero."""
        deviation = self.noise_multiplier * self.max_grad_norm
        for parameter in self.params:
            parameter.grad = parameter.summed_grad.to(parameter.dtype).view_as(parameter)
            if self.noise_multiplier > 0:
                for block in parameter.grad.view(-1).split(BLOCK):
                    block.add_(self._noise(len(block)), alpha=deviation)  # in float64, rounded once

    def _noise(self, count: int) -> Tensor:
        """Standard normal draws (count,) that are given out once."""
        noise = next(self._drawn, None)
        if noise is None or len(noise) != count:
            ahead = max(1, min(self._steps, BLOCK // count))
            self._drawn = iter(torch.from_numpy(gaussian((ahead, count), 1.0)))
            noise = next(self._drawn)
        return noise


@dataclass(frozen=True)
class Round:
    """What a round is trained with: ``groups`` this hospital holds data for, and the public denominator.

    ``number`` is the round's, from 1; without privacy it goes into the seed of who is drawn.
    """

    study: Study
    stage: str
    groups: frozenset[str]
    denominator: float
    plan: StagePlan | None
    number: int = 1


def train_round(
    model: MultimodalModel, batch: Batch, task: Round, mode: str | None = None, draws: Iterable[Draw] | None = None
) -> int:
    """Train ``model`` in place on ``batch``; returns the Gaussian releases made, as the accountant counted.

    ``mode`` is how per-patient gradients are taken, by default as the encoders ask; the result is the same. ``draws``
    is who each step reads, by default as the study samples. All weights are trained as one vector: one norm, one draw
    of noise and one step, however many layers there are.
    """
    parameters = _trained(model, task)
    if not parameters:
        return 0
    vector = Vector.of(parameters)
    weights, start, training = vector.views(), vector.values.detach().clone(), task.study.training
    optimizer, accountant = optimizer_of(vector.values, task), RDPAccountant()
    optimizer.attach_step_hook(accountant.get_optimizer_hook_fn(sample_rate=training.rate))
    loss, inputs = stage_loss(model, batch, task)
    patients, mode = replace(batch, inputs=inputs), mode or gradient_mode(task.study, task.stage)
    columns = [(vector.columns(names), clip) for names, clip in clip_parts(task, list(parameters))]
    for draw in _draws(patients, task) if draws is None else draws:
        optimizer.expected_batch_size = draw.denominator
        parts = passes(patients, draw, len(start))
        for number, part in enumerate(parts, start=1):
            gradients = patient_gradients(loss, vector, part, mode)
            for place, clip in columns:
                clip_patients(gradients[:, place], clip)
            vector.values.grad_sample = gradients  # type: ignore[attr-defined]
            optimizer.signal_skip_step(number < len(parts))  # earlier parts are clipped and summed only
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        pull(vector.values, start, training.learning_rate * training.proximal)
        decay(weights, training.learning_rate * training.weight_decay)
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(weights[name])
    return sum(steps for _, _, steps in accountant.history)


def _trained(model: MultimodalModel, task: Round) -> dict[str, Tensor]:
    """The parameters of the round's stage and groups; those that share a clip stand together."""
    found: dict[str, Tensor] = {
        name: parameter
        for name, parameter in model.named_parameters()
        if in_stage(name, task.stage) and group_of(name) in task.groups
    }
    parts = clip_parts(task, list(found))
    return {name: found[name] for names, _ in parts for name in names} if parts else found


def _draws(batch: Batch, task: Round) -> Iterator[Draw]:
    """Who each step reads, as the study samples; under privacy by nobody's seed."""
    chance = None if task.plan else np.random.default_rng([task.study.seed, task.number, batch.patients])
    training = task.study.training
    return SAMPLINGS[training.sampling](training, Population(batch.patients, task.denominator, chance))


def optimizer_of(vector: nn.Parameter, task: Round) -> CryptographicOptimizer:
    """Gradient descent with momentum on the noised mean; without privacy an infinite clip and no noise."""
    training = task.study.training
    return CryptographicOptimizer(
        torch.optim.SGD([vector], lr=training.learning_rate, momentum=training.momentum),
        noise_multiplier=task.plan.noise_multiplier if task.plan else 0.0,
        max_grad_norm=task.plan.clip if task.plan else math.inf,
        expected_batch_size=task.denominator,
        steps=training.steps,
    )


def stage_loss(model: MultimodalModel, batch: Batch, task: Round) -> tuple[PatientLoss, dict[str, Tensor]]:
    """The loss of one patient as a function of the stage's parameters, and the inputs it reads.

    A patient's loss is the sum over the stage's models that can score him; fusions train on frozen embeddings.
    """
    study, singles, fused, joint = task.study, Singles(model), Fused(model), Joint(model)

    def encoders(
        parameters: Parameters, inputs: Mapping[str, Tensor], present: Mapping[str, Tensor], truth: Tensor
    ) -> Tensor:
        return summed_loss(study, functional_call(singles, _under("model.", parameters), (inputs,)), present, truth)

    def fusion(
        parameters: Parameters, inputs: Mapping[str, Tensor], present: Mapping[str, Tensor], truth: Tensor
    ) -> Tensor:
        scores, penalties = functional_call(fused, _under("model.", parameters), (inputs, present))
        total: Tensor = summed_loss(study, scores, present, truth) + penalties
        return total

    def both(
        parameters: Parameters, inputs: Mapping[str, Tensor], present: Mapping[str, Tensor], truth: Tensor
    ) -> Tensor:
        scores, penalties = functional_call(joint, _under("model.", parameters), (inputs, present))
        total: Tensor = summed_loss(study, scores, present, truth) + penalties
        return total

    recordings = recordings_of(model, study, task.stage)
    if task.stage == "joint":
        return PatientLoss(both, recordings), dict(batch.inputs)
    if task.stage == "encoders":
        own = {name: values for name, values in batch.inputs.items() if name in task.groups}
        return PatientLoss(encoders, recordings), own
    with torch.no_grad():
        return PatientLoss(fusion, recordings), model.embed(batch.inputs)


def summed_loss(study: Study, scores: Mapping[str, Tensor], present: Mapping[str, Tensor], truth: Tensor) -> Tensor:
    """Losses of all units by all models, without those that a model cannot score; scores (units, outputs) by model."""
    known = torch.cat([scored(name, present) for name in scores])
    losses = unit_losses(study, torch.cat(list(scores.values())), truth.repeat(len(scores), 1))
    return torch.where(known, losses, 0.0).sum()


class Singles(nn.Module):
    """The single-modality models as one function of their inputs."""

    def __init__(self, model: MultimodalModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Scores by modality."""
        return self.model.single_scores(self.model.embed(inputs))


class Fused(nn.Module):
    """The fused models as one function of the embeddings."""

    def __init__(self, model: MultimodalModel) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, embeddings: Mapping[str, Tensor], present: Mapping[str, Tensor]
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Scores by combination, and what the fusions add to the loss."""
        return self.model.fused_scores(embeddings, present), self.model.penalty(embeddings, present)


class Joint(nn.Module):
    """All models, from inputs to scores: encoders learn from the fusions too."""

    def __init__(self, model: MultimodalModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], Tensor]:
        """Scores by model, and what the fusions add to the loss."""
        embeddings = self.model.embed(inputs)
        scores = {**self.model.single_scores(embeddings), **self.model.fused_scores(embeddings, present)}
        return scores, self.model.penalty(embeddings, present)


def gradient_mode(study: Study, stage: str) -> str:
    """How per-patient gradients are taken: by loop as soon as one trained encoder asks for it."""
    modes = {ENCODERS[spec.kind][spec.encoder].mode(spec) for spec in study.modalities.values()}
    return "loop" if stage != "fusion" and "loop" in modes else "vmap"


def clip_parts(task: Round, names: list[str]) -> list[tuple[list[str], float]]:
    """Parts of the gradient with clips of their own, squares adding up to the whole's; none where one clip serves.

    Of the encoders each modality may have an equal part, so that one with large gradients cannot crowd out the others;
    of the fusions the primary has ``clip_share``, so that its siblings cannot.
    """
    privacy = task.study.privacy
    groups = sorted({group_of(name) for name in names})
    if task.plan is None or not isinstance(privacy, DpSgd) or len(groups) < 2:
        return []
    if task.stage == "encoders" and privacy.clip_by == "modality":
        return [
            ([name for name in names if group_of(name) == group], task.plan.clip / math.sqrt(len(groups)))
            for group in groups
        ]
    share = task.study.fusion.clip_share
    if task.stage != "fusion" or task.study.primary not in groups or share == 1:
        return []
    primary = [name for name in names if group_of(name) == task.study.primary]
    others = [name for name in names if group_of(name) != task.study.primary]
    return [(primary, task.plan.clip * math.sqrt(share)), (others, task.plan.clip * math.sqrt(1 - share))]


def pull(vector: Tensor, start: Tensor, rate: float) -> None:
    """FedProx' pull towards the round's start, after clip and noise: part of the loss, it would be part of each
    patient's gradient and share his clip; here it reads released weights only (Li et al. 2020, equation 2)."""
    if rate:
        with torch.no_grad():
            vector.lerp_(start, rate)


def decay(parameters: Mapping[str, Tensor], rate: float) -> None:
    """Weight decay after the noise, where it costs no privacy: shrink every weight (not the biases) by ``rate``."""
    if rate:
        with torch.no_grad():
            for name, parameter in parameters.items():
                if not name.endswith("bias"):
                    parameter.mul_(1 - rate)


def _under(prefix: str, values: Parameters) -> Parameters:
    return {f"{prefix}{name}": value for name, value in values.items()}
