"""Grades of findings: a latent cut into a few steps, in each finding at other places, so that all show it finely."""

import numpy as np
from numpy.typing import NDArray

BLUR = 0.15  # spread of each finding about the latent


def graded(latent: float, findings: int, steps: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(findings,) of 0 to steps - 1: how many of its own cuts the latent passes in each finding.

    The cuts of all findings together lie evenly from -2.2 to 2.2.
    """
    cuts = np.linspace(-2.2, 2.2, findings * (steps - 1)).reshape(steps - 1, findings)
    own = latent + BLUR * rng.standard_normal(findings)
    return np.asarray((own > cuts).sum(axis=0), dtype=np.int64)
