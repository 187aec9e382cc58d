"""The second endpoint of invented patients: a hazard that rises a little with severity, and an even end of observation.

In ``LINK`` a severity of one, as lies between the two outcomes, multiplies the hazard by 2: knowing the outcome itself
would give a C-index of about .60, a model with an AUC of .9 one of about .58.
"""

import math

import numpy as np

from shared.endpoint import Endpoint

LINK = 0.7  # log hazard for one of severity
MEDIAN = 0.8  # of the last cut: when half of the patients would have had the event
SEEN = (0.3, 1.3)  # of the last cut: ends of observation


def follow_up(endpoint: Endpoint, severity: float, rng: np.random.Generator) -> dict[str, str]:
    """The cells of one patient: exponential time, censored evenly."""
    last = endpoint.cuts[-1]
    scale = MEDIAN * last / math.log(2) / math.exp(LINK * severity)
    time, end = rng.exponential(scale), rng.uniform(*SEEN) * last
    words = endpoint.positive if time <= end else endpoint.negative
    return {endpoint.time: f"{min(time, end):.1f}", endpoint.event: str(rng.choice(words))}
