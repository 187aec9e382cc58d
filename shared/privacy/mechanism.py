"""The plan of a private run, made before it starts: noise such that the budget lasts exactly to the end."""

from dataclasses import dataclass
from typing import Literal

from shared.privacy.accounting import Release, composed_epsilon
from shared.privacy.calibration import Part, multipliers
from shared.study import DpSgd, Study, YoudenThreshold

Stage = Literal["encoders", "fusion", "joint", "threshold"]


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
    """The mechanisms of one run (one fold of one arm), and what they cost a patient together."""

    epsilon: float
    delta: float
    stages: dict[Stage, StagePlan]

    def planned_epsilon(self) -> float:
        """What the run will have spent at its end."""
        return composed_epsilon([plan.whole for plan in self.stages.values()], self.delta)


def stages_of(study: Study) -> list[tuple[Stage, int, int]]:
    """(stage, rounds, steps a round) of a run in order; the threshold is one release where training data choose it."""
    training = study.training
    joint = training.schedule == "joint"
    stages: list[tuple[Stage, int, int]] = [("joint" if joint else "encoders", training.rounds, training.steps)]
    if study.fusions and not joint:
        stages.append(("fusion", training.rounds, training.steps))
    if isinstance(study.evaluation.threshold, YoudenThreshold):
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
    return PrivacyPlan(privacy.epsilon, privacy.delta, plans)
