"""Shadow models: what training makes of random halves of the patients, as the adversary can repeat it for itself."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from client.training import Round, train_round
from shared.batch import Batch
from shared.cohorts import Fold, training_patients
from shared.losses import unit_losses
from shared.model import MultimodalModel
from shared.privacy.mechanism import plan_privacy, stages_of
from shared.study import Study
from simulations.audit.release import Floats, noiseless

SHADOWS = 16


@dataclass(frozen=True)
class Shadows:
    """Who was in which half, (models, patients) bool, and each model's confidence in the patients' own outcomes."""

    members: npt.NDArray[np.bool_]
    confidence: Floats

    def without_him(self) -> Floats:
        """Each patient's mean confidence over the models that were trained without him, (patients,)."""
        out = ~self.members
        mean: Floats = np.sum(np.where(out, self.confidence, 0.0), axis=0) / np.maximum(out.sum(axis=0), 1)
        return mean


def confidence(study: Study, model: MultimodalModel, patients: Batch) -> Floats:
    """The primary model's log odds of what is true, (patients,): high where the loss is low."""
    with torch.no_grad():
        losses = unit_losses(study, model.scores(patients)[study.primary], patients.outcome).double()
    odds: Floats = (-losses - torch.log(-torch.expm1(-losses))).numpy()
    return odds


def train_shadows(study: Study, fold: Fold, patients: Batch, rng: np.random.Generator) -> Shadows:
    """Models of all hospitals of the fold together, each trained on a random half of ``patients``, without noise."""
    members, found = [], []
    for _ in range(SHADOWS):
        half = rng.permutation(len(patients)) < len(patients) // 2
        model = _trained(study, fold, patients.pick(torch.from_numpy(half)))
        members.append(half)
        found.append(confidence(study, model, patients))
    return Shadows(np.stack(members), np.stack(found))


def _trained(study: Study, fold: Fold, patients: Batch) -> MultimodalModel:
    model, plan = MultimodalModel(study), plan_privacy(study)
    denominator = sum(training_patients(study, site, fold) for site in fold.train)
    for stage, rounds, _ in stages_of(study):
        if stage == "threshold":
            continue
        if stage == "fusion":
            model.start_fusions()
        groups = study.groups(stage, study.modalities)
        task = Round(study, stage, groups, denominator, noiseless(plan.stages[stage]) if plan else None)
        for _ in range(rounds):
            train_round(model, patients, task)
    return model
