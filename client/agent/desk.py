"""What an agent keeps of one run: its study, its model, its patients by role, and the plan of its privacy."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch

from client.archive import Data
from client.boosting import Booster
from client.evaluation import Learner
from client.imputation import imputed
from client.prognosis import FollowUp
from client.proportional import Hazards
from client.resampling import resampled
from client.site import Site
from client.splits import ACROSS, LEFT_OUT
from client.weights import verified_weights
from shared import proportional, selection
from shared.batch import Batch
from shared.boosting import PREFIX, boosted_in, leaves_of
from shared.cohorts import ROLES, Fold, Role, folds, training_patients
from shared.errors import PrivacyRefusal
from shared.metrics.delong import Floats
from shared.model import MultimodalModel, weights_of
from shared.privacy.mechanism import PrivacyPlan, plan_privacy
from shared.privacy.records import RunKey
from shared.study import Study
from shared.wire import Arrays


class Desk:
    """One run at one hospital."""

    def __init__(self, data: Data, site: Site, study: Study, run: RunKey) -> None:
        self.site, self.study, self.run = site, study, run
        self.fold = fold = fold_of(study, run)
        self._trains = trains(run, fold, data.members)
        self.held = held_modalities(study, data.members)
        if not set(data.members) & set(fold.sites):
            raise PrivacyRefusal("no-such-run", "this hospital has no part in this fold")
        trained = set(data.members) & set(fold.train)
        self.denominator = sum(training_patients(study, member, fold) for member in sorted(trained))
        self.plan: PrivacyPlan | None = plan_privacy(study)
        if self.plan and self.plan.planned_epsilon() > self.plan.epsilon:
            raise PrivacyRefusal(
                "plan-over-budget", "by an independent accountant the plan would pass the study's budget"
            )
        self.trainers = len(fold.train) if run.arm == "federated" else 1
        self.boosters = {name: Booster(own) for name, own in boosted_in(study, run.arm).items()}
        self.hazards = {name: Hazards(study, own) for name, own in proportional.cox_in(study, run.arm).items()}
        self.model = MultimodalModel(study)
        self.model.attach({name: verified_weights(site, digest) for name, digest in weights_of(study).items()})
        self._follow_up, self._nomograms = data.follow_up(study), data.nomograms(study)
        self._roles = np.array(data.roles(study, fold))
        across = int((self._roles == LEFT_OUT).sum())
        self.excluded = {**data.excluded(study), **({ACROSS: across} if across else {})}
        self.split = data.split(study)
        self._batch = imputed(study, data.batch(study), self._roles.tolist())

    def require_training(self) -> None:
        """Refuse to train where the run has other trainers."""
        if not self._trains:
            raise PrivacyRefusal("not-training", "this hospital does not train in this run")

    def patients(self, role: Role) -> Batch:
        """This hospital's patients of a role."""
        return self._batch.pick(torch.from_numpy(self._roles == role))

    def learned(self) -> Batch:
        """Training patients as a round learns from them: with balanced classes where the study asks for that."""
        return self.patients("train") if self.study.training.resample == "none" else self._balanced

    @cached_property
    def _balanced(self) -> Batch:
        """The same in every round, and made once: merging thousands of patients takes seconds."""
        return resampled(self.study, self.patients("train"))

    def nomograms(self, role: Role) -> dict[str, Floats]:
        """Log odds (units, 1) of each nomogram on these patients, in the same order."""
        return {name: scores[self._roles == role] for name, scores in self._nomograms.items()}

    def follow_up(self, role: Role) -> FollowUp | None:
        """The second endpoint of these patients, in the same order."""
        return self._follow_up.pick(self._roles == role) if self._follow_up else None

    @property
    def roles(self) -> list[Role]:
        """Roles that patients here have, in a fixed order."""
        return [role for role in ROLES if (self._roles == role).any()]

    @property
    def learners(self) -> dict[str, Learner]:
        """What is learned beside the study's models, by name."""
        return {**self.boosters, **self.hazards}

    def groups(self, stage: str) -> frozenset[str]:
        """Parameter groups that this hospital trains in a stage: of the modalities that it has, as declared."""
        return self.study.groups(stage, self.held)

    def load(self, weights: Arrays) -> None:
        """Take the server's weights; refuses any that are not exactly the study's parameters."""
        own = {
            prefix: {name: values for name, values in weights.items() if name.startswith(prefix)}
            for prefix in (PREFIX, proportional.PREFIX, selection.PREFIX)
        }
        self.take_boosters(own[PREFIX])
        self._take_hazards(own[proportional.PREFIX])
        self._take_masks(own[selection.PREFIX])
        beside = {name for part in own.values() for name in part}
        weights = {name: values for name, values in weights.items() if name not in beside}
        expected = {name: tuple(value.shape) for name, value in self.model.named_parameters()}
        if {name: tuple(values.shape) for name, values in weights.items()} != expected:
            raise PrivacyRefusal("wrong-weights", "the task's weights are not those of the study's model")
        _refuse_unless_finite(weights)
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                parameter.copy_(torch.from_numpy(np.array(weights[name])))

    def take_boosters(self, contents: Arrays) -> None:
        """Take the common trees; refuses what is not those of the study's learners, before any library reads it."""
        if not set(contents) <= {PREFIX + name for name in self.boosters}:
            raise PrivacyRefusal("wrong-weights", "the task's trees are not those of the study's learners")
        for name, booster in self.boosters.items():
            content, choice = contents.get(PREFIX + name), booster.choice
            if content is not None:
                try:
                    leaves_of(content, choice.depth, choice.trees * self.trainers)
                except ValueError:
                    raise PrivacyRefusal("wrong-weights", "the task's trees are not those declared") from None
            self.boosters[name] = Booster(choice, content)

    def _take_hazards(self, fitted: Arrays) -> None:
        """Take Cox regressions: those that the task has, each of the study's shape."""
        shapes = {
            proportional.PREFIX + name: proportional.fitted_shape(self.study, own.choice)
            for name, own in self.hazards.items()
        }
        if any(shapes.get(name) != tuple(values.shape) for name, values in fitted.items()):
            raise PrivacyRefusal("wrong-weights", "the task's regressions are not those of the study")
        _refuse_unless_finite(fitted)
        for name, own in self.hazards.items():
            values = fitted.get(proportional.PREFIX + name)
            found = None if values is None else np.asarray(values, dtype=np.float64)
            self.hazards[name] = Hazards(self.study, own.choice, found)

    def _take_masks(self, masks: Arrays) -> None:
        """Take which columns of which tables the model reads: of every table with a selection, ones and zeros."""
        shapes = {selection.PREFIX + name: own.shape for name, own in selection.selecting(self.study).items()}
        if {name: tuple(values.shape) for name, values in masks.items()} != shapes:
            raise PrivacyRefusal("wrong-weights", "the task's choice of columns is not that of the study's tables")
        if not all(np.isin(values, (0, 1)).all() for values in masks.values()):
            raise PrivacyRefusal("wrong-weights", "a column is read or not read")
        self.model.read_only(
            {
                name.removeprefix(selection.PREFIX): torch.from_numpy(np.array(values, dtype=np.float32))
                for name, values in masks.items()
            }
        )


def _refuse_unless_finite(arrays: Arrays) -> None:
    if not all(values.dtype.kind == "f" and np.isfinite(values).all() for values in arrays.values()):
        raise PrivacyRefusal("wrong-weights", "the task's weights hold something that is not a finite number")


def held_modalities(study: Study, members: Sequence[str]) -> set[str]:
    """Modalities that the hospital has by the study file; which ones single patients have must not show."""
    return {name for name in study.modalities for member in members if name not in study.sites[member].lacks}


def fold_of(study: Study, run: RunKey) -> Fold:
    """The fold of a run that the study has; the server cannot make up runs, each of which has a budget."""
    arm, _, alone = run.arm.partition(":")
    found = [fold for fold in folds(study) if fold.name == run.fold]
    if not found or arm not in study.arms.run or (arm == "alone") != bool(alone):
        raise PrivacyRefusal("no-such-run", "the study has no such fold or arm")
    if alone and alone not in found[0].train:
        raise PrivacyRefusal("no-such-run", "this arm is of a hospital that does not train in this fold")
    return found[0]


def trains(run: RunKey, fold: Fold, members: tuple[str, ...]) -> bool:
    """Whether these patients are trained on: each hospital by itself, or a simulation's pool of a fold's hospitals."""
    arm, _, alone = run.arm.partition(":")
    if arm == "pooled":
        return members == fold.train
    return len(members) == 1 and members[0] in fold.train and alone in ("", members[0])
