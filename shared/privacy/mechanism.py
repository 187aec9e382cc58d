"""The plan of a private run, made before it starts: noise such that the budget lasts exactly to the end."""

import math
from dataclasses import dataclass
from typing import Literal

from shared.privacy.accounting import Release, composed_epsilon
from shared.privacy.calibration import Part, multipliers
from shared.study import DpSgd, Study

Stage = Literal["encoders", "fusion", "joint", "threshold", "validation"]


@dataclass(frozen=True)
class StagePlan:
    """One mechanism: ``steps`` Gaussian releases of a sum clipped to ``clip``, noise ``noise_multiplier * clip``.

    Each sum is over patients drawn with probability ``sample_rate``, over all of them where it is one.
    """

    stage: Stage
    rounds: int
    steps: int
    clip: float
    noise_multiplier: float
    sample_rate: float = 1.0

    @property
    def releases(self) -> int:
        """Gaussian releases in the whole stage."""
        return self.rounds * self.steps

    @property
    def whole(self) -> Release:
        """The whole stage, as accountants know it."""
        return Release(self.noise_multiplier, self.releases, self.sample_rate)


@dataclass(frozen=True)
class PrivacyPlan:
    """The mechanisms of one run (one fold of one arm), and what they cost a training patient together.

    ``validation`` is of other patients, with a budget of their own; None where their figures are exact.
    """

    epsilon: float
    delta: float
    stages: dict[Stage, StagePlan]
    validation: StagePlan | None = None

    def planned_epsilon(self) -> float:
        """What the run will have spent at its end."""
        return composed_epsilon([plan.whole for plan in self.stages.values()], self.delta)


def stages_of(study: Study) -> list[tuple[Stage, int, int]]:
    """(stage, rounds, steps a round) of a run in order; the tally of training patients is one release."""
    training = study.training
    joint = training.schedule == "joint"
    stages: list[tuple[Stage, int, int]] = [("joint" if joint else "encoders", training.rounds, training.steps)]
    if study.fusions and not joint:
        stages.append(("fusion", training.rounds, training.steps))
    if study.tallied:
        stages.append(("threshold", 1, 1))
    return stages


def plan_privacy(study: Study) -> PrivacyPlan | None:
    """Noise for each stage by its share of the budget; None when the study's mechanism is "none"."""
    privacy = study.privacy
    if not isinstance(privacy, DpSgd):
        return None
    stages = stages_of(study)
    parts = tuple(
        Part(privacy.stages.share(stage), rounds * steps, 1.0 if stage == "threshold" else study.training.rate)
        for stage, rounds, steps in stages
    )
    noises = multipliers(parts, privacy.epsilon, privacy.delta)
    plans = {
        stage: StagePlan(stage, rounds, steps, privacy.clip if stage != "threshold" else 1.0, noise, part.sample_rate)
        for (stage, rounds, steps), part, noise in zip(stages, parts, noises, strict=True)
    }
    return PrivacyPlan(privacy.epsilon, privacy.delta, plans, _validation(study))


def _validation(study: Study) -> StagePlan | None:
    """One release a run: the tallies of all models together, of which a patient moves one by no more than one."""
    noise = study.validation_noise
    if noise is None:
        return None
    (multiplier,) = multipliers((Part(1.0, 1, 1.0),), noise.epsilon, noise.delta)
    return StagePlan("validation", 1, 1, 1.0, multiplier)


def tally_deviation(study: Study, model: str, plan: StagePlan) -> float:
    """Standard deviation of the noise in each cell of a model's tally, which is released with those of all others.

    A patient is in one cell of each model's tally. Each model has a share of the squared sensitivity of all together:
    the primary ``clip_share``, the others even parts of the rest; all the same where it is 1, which parts no clip.
    """
    count, share = len(study.models), study.fusion.clip_share
    if count == 1 or share == 1:
        return plan.noise_multiplier * math.sqrt(count)
    return plan.noise_multiplier / math.sqrt(share if model == study.primary else (1 - share) / (count - 1))
