"""One round of training at a hospital: full-batch steps on per-patient gradients, clipped and noised under privacy.

With mechanism "none" the same steps run with an infinite clip and no noise.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from opacus.accountants import RDPAccountant
from opacus.optimizers import DPOptimizer
from torch import Tensor, nn
from torch.func import functional_call

from client.gradients import Parameters, PatientLoss, clip_patients, patient_gradients
from shared.encoders import ENCODERS
from shared.model import Batch, MultimodalModel, group_of, scored, stage_of
from shared.outcomes import OUTCOMES
from shared.privacy.mechanism import StagePlan
from shared.privacy.noise import gaussian
from shared.study import DpSgd, Study


class CryptographicOptimizer(DPOptimizer):  # type: ignore[misc]
    """Opacus' optimizer with its noise taken from the cryptographic stream, in float64; nothing else is changed."""

    def add_noise(self) -> None:
        """Noise the clipped sums; no noise where the multiplier is zero."""
        for parameter in self.params:
            total = parameter.summed_grad.to(torch.float64)
            if self.noise_multiplier > 0:
                total = total + torch.from_numpy(gaussian(total.shape, self.noise_multiplier * self.max_grad_norm))
            parameter.grad = total.to(parameter.dtype).view_as(parameter)


@dataclass(frozen=True)
class Round:
    """What a round is trained with: ``groups`` this hospital holds data for, and the public denominator."""

    study: Study
    stage: str
    groups: frozenset[str]
    denominator: float
    plan: StagePlan | None


def train_round(model: MultimodalModel, batch: Batch, task: Round) -> int:
    """Train ``model`` in place on all of ``batch``; returns the Gaussian releases made, as the accountant counted."""
    parameters = {
        name: parameter
        for name, parameter in model.named_parameters()
        if stage_of(name) == task.stage and group_of(name) in task.groups
    }
    if not parameters:
        return 0
    training = task.study.training
    optimizer = CryptographicOptimizer(
        torch.optim.SGD(parameters.values(), lr=training.learning_rate, momentum=training.momentum),
        noise_multiplier=task.plan.noise_multiplier if task.plan else 0.0,
        max_grad_norm=task.plan.clip if task.plan else math.inf,
        expected_batch_size=task.denominator,
        loss_reduction="mean",
    )
    accountant = RDPAccountant()
    optimizer.attach_step_hook(accountant.get_optimizer_hook_fn(sample_rate=1.0))
    loss, inputs = stage_loss(model, batch, task)
    for _ in range(training.steps):
        gradients = patient_gradients(loss, parameters, inputs, batch, gradient_mode(task.study, task.stage))
        for names, clip in clip_parts(task, list(parameters)):
            clip_patients({name: gradients[name] for name in names}, clip)
        for name, parameter in parameters.items():
            parameter.grad_sample = gradients[name]  # type: ignore[attr-defined]
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        decay(parameters, training.learning_rate * training.weight_decay)
    return sum(steps for _, _, steps in accountant.history)


def stage_loss(model: MultimodalModel, batch: Batch, task: Round) -> tuple[PatientLoss, dict[str, Tensor]]:
    """The loss of one patient as a function of the stage's parameters, and the inputs it reads.

    A patient's loss is the sum over the stage's models that can score him; fusions train on frozen embeddings.
    """
    outcome = OUTCOMES[task.study.outcome.kind]
    frozen = {name: value.detach() for name, value in model.named_parameters()}

    def total(scores: Mapping[str, Tensor], present: Mapping[str, Tensor], truth: Tensor) -> Tensor:
        losses = [
            torch.where(scored(name, present), outcome.loss(score, truth), 0.0).sum() for name, score in scores.items()
        ]
        return torch.stack(losses).sum()

    def encoders(
        parameters: Parameters, inputs: Mapping[str, Tensor], present: Mapping[str, Tensor], truth: Tensor
    ) -> Tensor:
        return total(
            functional_call(Singles(model), _under("model.", {**frozen, **parameters}), (inputs,)), present, truth
        )

    def fusion(
        parameters: Parameters, inputs: Mapping[str, Tensor], present: Mapping[str, Tensor], truth: Tensor
    ) -> Tensor:
        weights = _under("model.", {**frozen, **parameters})
        return total(functional_call(Fused(model), weights, (inputs, present)), present, truth)

    if task.stage == "encoders":
        return encoders, {name: values for name, values in batch.inputs.items() if name in task.groups}
    with torch.no_grad():
        return fusion, model.embed(batch.inputs)


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

    def forward(self, embeddings: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Scores by combination."""
        return self.model.fused_scores(embeddings, present)


def gradient_mode(study: Study, stage: str) -> str:
    """How per-patient gradients are taken: by loop as soon as one trained encoder asks for it."""
    modes = {ENCODERS[spec.kind][spec.encoder].gradients for spec in study.modalities.values()}
    return "loop" if stage == "encoders" and "loop" in modes else "vmap"


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


def decay(parameters: Mapping[str, nn.Parameter], rate: float) -> None:
    """Weight decay after the noise, where it costs no privacy: shrink every weight (not the biases) by ``rate``."""
    if rate:
        with torch.no_grad():
            for name, parameter in parameters.items():
                if not name.endswith("bias"):
                    parameter.mul_(1 - rate)


def _under(prefix: str, values: Parameters) -> Parameters:
    return {f"{prefix}{name}": value for name, value in values.items()}
