"""Cox regression by sums that add up over sites, each site a stratum with a baseline hazard of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np

from shared.metrics.newton import Fit, NewtonSums, maximise
from shared.metrics.tally import Floats


@dataclass(frozen=True)
class Stratum:
    """One site's patients: ``time`` and ``event`` (patients,), ``design`` (patients, p)."""

    time: Floats
    event: Floats
    design: Floats


def cox_regression(strata: Sequence[Stratum], efron: bool = True) -> Fit | None:
    """Log hazard ratios; ties by Efron (1977), or by Breslow (1974)."""
    parts = [partial_likelihood(stratum, efron) for stratum in strata]

    def sums_at(beta: Floats) -> NewtonSums:
        return reduce(add, (part(beta) for part in parts))

    return maximise(sums_at, np.zeros(strata[0].design.shape[1]))


def partial_likelihood(stratum: Stratum, efron: bool = True) -> Callable[[Floats], NewtonSums]:
    """Sums of one site's partial log-likelihood at given coefficients."""
    order = np.argsort(-stratum.time, kind="stable")  # the last first: risk sets are then beginnings
    time, event, design = stratum.time[order], stratum.event[order] == 1, stratum.design[order]
    ends = [
        (np.flatnonzero(event & (time == moment)), int(np.sum(time >= moment))) for moment in np.unique(time[event])
    ]

    def sums_at(beta: Floats) -> NewtonSums:
        odds = design @ beta
        hazard = np.exp(odds)
        first = hazard[:, None] * design
        sums = np.cumsum(hazard), np.cumsum(first, axis=0), np.cumsum(first[:, :, None] * design[:, None, :], axis=0)
        total = NewtonSums(float(odds[event].sum()), design[event].sum(axis=0), np.zeros((len(beta), len(beta))))
        for tied, end in ends:
            own = hazard[tied].sum(), first[tied].sum(axis=0), first[tied].T @ design[tied]
            shares = np.arange(len(tied)) / len(tied) if efron else np.zeros(len(tied))
            for share in shares:
                zero, one, two = (whole[end - 1] - share * part for whole, part in zip(sums, own, strict=True))
                mean = one / zero
                total = total + NewtonSums(-float(np.log(zero)), -mean, two / zero - np.outer(mean, mean))
        return total

    return sums_at
