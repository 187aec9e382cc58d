"""The seam of the audit: one round of a hospital's real training, seen as patients in and a released sum out.

The adversary is the coordinator: it knows every other patient, sends the weights that suit it, and sees the update.
Nothing of training is written again here; ``client.training.train_round`` runs with the study's own model and loss.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from client.agent.desk import held_modalities
from client.training import Round, train_round
from shared.batch import Batch
from shared.cohorts import folds, training_patients
from shared.model import MultimodalModel
from shared.parameters import group_of, in_stage
from shared.privacy.mechanism import StagePlan
from shared.study import DpSgd, Study

Floats = npt.NDArray[np.float64]
SPREAD = 0.3  # of what is added to the weights of earlier stages, so that embeddings are not all zero


@dataclass(frozen=True)
class Target:
    """A stage of training at one hospital, with the weights that the adversary sends in every round."""

    study: Study
    site: str
    stage: str
    groups: frozenset[str]
    denominator: float
    patients: Batch
    model: MultimodalModel
    start: Mapping[str, Tensor]

    def setting(self, plan: StagePlan | None) -> str:
        """Where, what and at which noise, for the table."""
        return f"{self.site}, {self.stage}" + (f", σ {plan.noise_multiplier:.2f}" if plan else "")

    def release(self, patients: Batch, plan: StagePlan | None) -> Floats:
        """What one round tells of ``patients``: (parameters,), the sum of their gradients in units of the clip."""
        privacy, training = self.study.privacy, self.study.training
        with torch.no_grad():
            for name, value in self.model.named_parameters():
                value.copy_(self.start[name])
        train_round(self.model, patients, Round(self.study, self.stage, self.groups, self.denominator, plan))
        moved = [
            (self.start[name] - value.detach()).to(torch.float64).flatten()
            for name, value in self.model.named_parameters()
            if in_stage(name, self.stage) and group_of(name) in self.groups
        ]
        clip = privacy.clip if isinstance(privacy, DpSgd) else 1.0
        total: Floats = torch.cat(moved).numpy() * self.denominator / (training.learning_rate * clip)
        return total


def target_of(study: Study, stage: str, site: str, patients: Batch) -> Target:
    """A stage at a hospital of the study; the trained weights are those of its first round.

    Of a study with Poisson samples a step of everybody is attacked, at its noise: the patient it looks for was drawn.
    """
    everybody = study.training.model_copy(update={"sampling": "full", "sample_rate": None})
    study = study.model_copy(update={"training": everybody})
    model, generator = MultimodalModel(study), torch.Generator().manual_seed(study.seed)
    if stage == "fusion":
        with torch.no_grad():
            for name, value in model.named_parameters():
                if in_stage(name, "encoders"):
                    value.add_(SPREAD * torch.randn(value.shape, generator=generator))
    held = held_modalities(study, [site])
    groups = study.groups(stage, held)
    start = {name: value.detach().clone() for name, value in model.named_parameters()}
    fold = next(fold for fold in folds(study) if site in fold.train)
    return Target(study, site, stage, groups, training_patients(study, site, fold), patients, model, start)


def with_steps(target: Target, steps: int) -> Target:
    """The same stage with so many steps in a round."""
    training = target.study.training.model_copy(update={"steps": steps})
    return dataclasses.replace(target, study=target.study.model_copy(update={"training": training}))


def noiseless(plan: StagePlan | None) -> StagePlan | None:
    """The same clipped sum without its noise: what the adversary computes by itself."""
    return dataclasses.replace(plan, noise_multiplier=0.0) if plan else None
