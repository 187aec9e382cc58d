"""The plan of a private run, made before it starts: noise such that the budget lasts exactly to the end."""

import math
from dataclasses import dataclass
from typing import Literal

from shared.privacy.accounting import composed_epsilon, gaussian_mu
from shared.study import DpSgd, Study, YoudenThreshold

Stage = Literal["encoders", "fusion", "threshold"]

# The accountant's own discretisation may exceed the closed form by this much; the plan stays below the budget by it.
MARGIN = 0.999


@dataclass(frozen=True)
class StagePlan:
    """One mechanism: ``steps`` Gaussian releases of a sum clipped to ``clip``, noise ``noise_multiplier * clip``."""

    stage: Stage
    rounds: int
    steps: int
    clip: float
    noise_multiplier: float

    @property
    def releases(self) -> int:
        """Gaussian releases in the whole stage."""
        return self.rounds * self.steps


@dataclass(frozen=True)
class PrivacyPlan:
    """The mechanisms of one run (one fold of one arm), and what they cost a patient together."""

    epsilon: float
    delta: float
    stages: dict[Stage, StagePlan]

    def planned_epsilon(self) -> float:
        """What the run will have spent at its end."""
        releases = [(plan.noise_multiplier, plan.releases) for plan in self.stages.values()]
        return composed_epsilon(releases, self.delta)


def stages_of(study: Study) -> list[tuple[Stage, int, int]]:
    """(stage, rounds, steps a round) of a run in order; the threshold is one release where training data choose it."""
    training = study.training
    stages: list[tuple[Stage, int, int]] = [("encoders", training.rounds, training.steps)]
    if any("+" in model for model in study.models):
        stages.append(("fusion", training.rounds, training.steps))
    if isinstance(study.evaluation.threshold, YoudenThreshold):
        stages.append(("threshold", 1, 1))
    return stages


def plan_privacy(study: Study) -> PrivacyPlan | None:
    """Split the budget's mu^2 over the stages; None when the study's mechanism is "none".

    A stage with share s of mu^2 and T releases needs the noise multiplier sqrt(T / (s mu^2)): their composition is a
    Gaussian mechanism with ratio mu, whose epsilon is the budget.
    """
    privacy = study.privacy
    if not isinstance(privacy, DpSgd):
        return None
    total = gaussian_mu(privacy.epsilon * MARGIN, privacy.delta) ** 2
    plans: dict[Stage, StagePlan] = {}
    for stage, rounds, steps in stages_of(study):
        noise = math.sqrt(rounds * steps / (getattr(privacy.stages, stage) * total))
        clip = privacy.clip if stage != "threshold" else 1.0
        plans[stage] = StagePlan(stage, rounds, steps, clip, noise)
    return PrivacyPlan(privacy.epsilon, privacy.delta, plans)
