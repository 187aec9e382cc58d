"""Figures of hospitals whose validation patients have a budget: from noised tallies alone, never from a patient."""

import math
from collections.abc import Callable, Sequence
from functools import reduce
from operator import add

from server.validation.summary import NOISED, Estimate, noisy_tally, site_auc, within_hospital_auc
from shared.metrics.delong import logit_interval
from shared.metrics.noised import NoisyTally
from shared.wire import SiteFigures

Z = 1.959963984540054
LOST = "a class does not stand out of the noise"
UNFITTED = "the noise leaves no line"
EXACT_ONLY = "needs exact figures; noised tallies only"
UNTOLD = ("accuracy", "ppv", "npv", "f1", "brier", "brier_scaled", "log_loss", "ici", "average_precision",
          "calibration_intercept")  # fmt: skip
Part = tuple[float, float] | None  # a figure and its variance


def noised(figures: Sequence[SiteFigures]) -> bool:
    """Whether these patients have a budget, so that hospitals told noised tallies of them."""
    return any(own.noised for own in figures)


def summed(figures: Sequence[SiteFigures]) -> NoisyTally | None:
    """The tallies of all hospitals together: the models, the thresholds and the cells are the same everywhere."""
    tallies = [tally for own in figures if (tally := noisy_tally(own))]
    return reduce(add, tallies) if tallies else None


def noised_estimates(figures: Sequence[SiteFigures], middle: float) -> dict[str, Estimate]:
    """Every figure of the hospitals together; ``middle`` is the model's frozen threshold on the log odds."""
    tally = summed(figures)
    area = site_auc(figures[0]) if len(figures) == 1 else within_hospital_auc(figures)
    if tally is None:
        return {"auc": area}
    return {
        "auc": area,
        "sensitivity": _share(tally.rate(event=True), LOST),
        "specificity": _share(tally.rate(event=False), LOST),
        "prevalence": _share(tally.prevalence(), LOST),
        "oe_ratio": _normal(tally.ratio(middle), LOST, math.exp),
        "citl": _normal(tally.line(middle, with_slope=False), UNFITTED),
        "calibration_slope": _normal(tally.line(middle, with_slope=True), UNFITTED),
        **dict.fromkeys(UNTOLD, Estimate(None, reason=EXACT_ONLY)),
    }


def pooled_noised_auc(figures: Sequence[SiteFigures]) -> Estimate | None:
    """AUC of all hospitals' noised scores together; None where a class is lost in the noise."""
    tally = summed(figures)
    part = tally.area() if tally else None
    if part is None:
        return None
    low, high = logit_interval(*part) or (None, None)
    return Estimate(part[0], low, high, f"pooled, {NOISED}")


def _share(part: Part, reason: str) -> Estimate:
    """A share with its normal interval, cut at its ends: noise can leave it outside."""
    if part is None:
        return Estimate(None, reason=reason)
    half = Z * math.sqrt(part[1])
    return Estimate(part[0], max(part[0] - half, 0.0), min(part[0] + half, 1.0), NOISED)


def _normal(part: Part, reason: str, back: Callable[[float], float] = float) -> Estimate:
    if part is None:
        return Estimate(None, reason=reason)
    half = Z * math.sqrt(part[1])
    return Estimate(back(part[0]), back(part[0] - half), back(part[0] + half), NOISED)
