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
from shared.batch import Batch
from shared.encoders import ENCODERS
from shared.losses import unit_losses
from shared.model import MultimodalModel, group_of, scored, stage_of
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


def train_round(model: MultimodalModel, batch: Batch, task: Round, mode: str | None = None) -> int:
    """Train ``model`` in place on all of ``batch``; returns the Gaussian releases made, as the accountant counted.

    ``mode`` is how per-patient gradients are taken, by default as the encoders ask; the result is the same. All weights
    are trained as one vector: one norm, one draw of noise and one step, however many layers there are.
    """
    parameters = {
        name: parameter
        for name, parameter in model.named_parameters()
        if stage_of(name) == task.stage and group_of(name) in task.groups
    }
    if not parameters:
        return 0
    vector = nn.Parameter(torch.cat([parameter.detach().flatten() for parameter in parameters.values()]))
    weights = views(vector.detach(), parameters)
    optimizer, accountant = optimizer_of(vector, task), RDPAccountant()
    optimizer.attach_step_hook(accountant.get_optimizer_hook_fn(sample_rate=1.0))
    loss, inputs = stage_loss(model, batch, task)
    training, mode = task.study.training, mode or gradient_mode(task.study, task.stage)
    for _ in range(training.steps):
        gradients = patient_gradients(loss, weights, inputs, batch, mode)
        for names, clip in clip_parts(task, list(weights)):
            clip_patients({name: gradients[name] for name in names}, clip)
        vector.grad_sample = torch.cat([gradients.pop(name).flatten(1) for name in weights], dim=1)  # type: ignore[attr-defined]
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        decay(weights, training.learning_rate * training.weight_decay)
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(weights[name])
    return sum(steps for _, _, steps in accountant.history)


def optimizer_of(vector: nn.Parameter, task: Round) -> CryptographicOptimizer:
    """Gradient descent with momentum on the noised mean; without privacy an infinite clip and no noise."""
    training = task.study.training
    return CryptographicOptimizer(
        torch.optim.SGD([vector], lr=training.learning_rate, momentum=training.momentum),
        noise_multiplier=task.plan.noise_multiplier if task.plan else 0.0,
        max_grad_norm=task.plan.clip if task.plan else math.inf,
        expected_batch_size=task.denominator,
        loss_reduction="mean",
    )


def views(vector: Tensor, parameters: Mapping[str, Tensor]) -> Parameters:
    """The parts of a vector as tensors of the parameters' shapes; they change with it."""
    parts = torch.split(vector, [parameter.numel() for parameter in parameters.values()])
    return {name: part.view_as(value) for (name, value), part in zip(parameters.items(), parts, strict=True)}


def stage_loss(model: MultimodalModel, batch: Batch, task: Round) -> tuple[PatientLoss, dict[str, Tensor]]:
    """The loss of one patient as a function of the stage's parameters, and the inputs it reads.

    A patient's loss is the sum over the stage's models that can score him; fusions train on frozen embeddings.
    """
    study, singles, fused = task.study, Singles(model), Fused(model)

    def encoders(
        parameters: Parameters, inputs: Mapping[str, Tensor], present: Mapping[str, Tensor], truth: Tensor
    ) -> Tensor:
        return summed_loss(study, functional_call(singles, _under("model.", parameters), (inputs,)), present, truth)

    def fusion(
        parameters: Parameters, inputs: Mapping[str, Tensor], present: Mapping[str, Tensor], truth: Tensor
    ) -> Tensor:
        scores = functional_call(fused, _under("model.", parameters), (inputs, present))
        return summed_loss(study, scores, present, truth)

    if task.stage == "encoders":
        return encoders, {name: values for name, values in batch.inputs.items() if name in task.groups}
    with torch.no_grad():
        return fusion, model.embed(batch.inputs)


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

    def forward(self, embeddings: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Scores by combination."""
        return self.model.fused_scores(embeddings, present)


def gradient_mode(study: Study, stage: str) -> str:
    """How per-patient gradients are taken: by loop as soon as one trained encoder asks for it."""
    modes = {ENCODERS[spec.kind][spec.encoder].mode(spec) for spec in study.modalities.values()}
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


def decay(parameters: Mapping[str, Tensor], rate: float) -> None:
    """Weight decay after the noise, where it costs no privacy: shrink every weight (not the biases) by ``rate``."""
    if rate:
        with torch.no_grad():
            for name, parameter in parameters.items():
                if not name.endswith("bias"):
                    parameter.mul_(1 - rate)


def _under(prefix: str, values: Parameters) -> Parameters:
    return {f"{prefix}{name}": value for name, value in values.items()}
