"""At which noise training is attacked: that of the study, and one at which few trials can show a fault."""

import dataclasses
import math

from shared.privacy.accounting import gaussian_mu
from shared.privacy.mechanism import StagePlan

CALIBRATED = 1.0  # epsilon of what is attacked, where the audit chooses the noise


def plans_of_a_step(plan: StagePlan, delta: float) -> list[StagePlan | None]:
    """For one step: the study's noise, the noise that makes epsilon ``CALIBRATED``, and none."""
    return [plan, dataclasses.replace(plan, noise_multiplier=1 / gaussian_mu(CALIBRATED, delta)), None]


def plans_of_a_stage(plan: StagePlan, delta: float) -> list[StagePlan | None]:
    """The same for all releases of the stage together."""
    noise = math.sqrt(plan.releases) / gaussian_mu(CALIBRATED, delta)
    return [plan, dataclasses.replace(plan, noise_multiplier=noise), None]
