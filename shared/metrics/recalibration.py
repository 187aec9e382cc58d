"""A line that sets log odds right, from tallies of scores that may carry noise: no patient is needed again."""

import numpy as np

from shared.metrics.newton import Fit, NewtonSums, maximise
from shared.metrics.tally import Floats
from shared.metrics.threshold import CUTS

WIDTH = float(CUTS[1] - CUTS[0])
CENTRES: Floats = np.append(CUTS, CUTS[-1] + WIDTH) - WIDTH / 2  # log odds that stand for each cell


def recalibrated(counts: Floats, with_slope: bool) -> tuple[float, float] | None:
    """(intercept, slope) of the logistic regression of the outcome on the cells' log odds; slope 1 without one.

    ``counts`` (2, CELLS) of (others, events), noised or not. None where no finite maximum is found, or more risk would
    be told as less. Training patients set right what a weighted loss or resampling moved (Steyerberg 2004, methods 2
    and 3); what was learned by heart from them they cannot show. Scores beyond the outermost cuts count as just beyond
    them.
    """
    fit = line_fit(counts, CENTRES, with_slope)
    if fit is None:
        return None
    intercept, slope = (*fit.coefficients.tolist(), 1.0)[:2]
    return (intercept, slope) if slope > 0 else None


def line_fit(counts: Floats, centres: Floats, with_slope: bool) -> Fit | None:
    """Logistic regression of the outcome on ``centres``, the log odds of each cell of ``counts`` (2, cells).

    Noise has mean zero and enters the score equations linearly, so negative cells stay as they are. The coefficients
    are the intercept, and the slope unless that is held at one.
    """
    others, events = counts
    trials = others + events
    if others.sum() <= 0 or events.sum() <= 0:
        return None
    design = np.stack([np.ones_like(centres), centres], axis=1) if with_slope else np.ones((len(centres), 1))
    offset = np.zeros_like(centres) if with_slope else centres

    def sums_at(beta: Floats) -> NewtonSums:
        odds = design @ beta + offset
        risk = 1 / (1 + np.exp(-odds.clip(-700, 700)))
        likelihood = float(np.sum(events * odds - trials * np.logaddexp(0, odds)))
        spread = trials * risk * (1 - risk)
        return NewtonSums(likelihood, design.T @ (events - trials * risk), (design.T * spread) @ design)

    return maximise(sums_at, np.zeros(design.shape[1]))
