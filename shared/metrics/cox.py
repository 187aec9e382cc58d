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
    _, moment, ties = np.unique(-time[event], return_inverse=True, return_counts=True)
    first_tied = np.cumsum(ties) - ties  # among the events, which are in the order of their moments
    ends = np.searchsorted(-time, -time[event][first_tied], side="right") - 1  # the last row of each risk set
    shares = (np.arange(len(moment)) - first_tied[moment]) / ties[moment] * efron

    def at_risk(terms: Floats) -> Floats:
        """Sums over the risk set of each event, of its tied events only a share: (events, …)."""
        tied = np.add.reduceat(terms[event], first_tied, axis=0)
        part = shares.reshape(-1, *[1] * (terms.ndim - 1)) * tied[moment]
        return np.asarray(np.cumsum(terms, axis=0)[ends][moment] - part)

    def sums_at(beta: Floats) -> NewtonSums:
        if not len(moment):
            return NewtonSums(0.0, np.zeros_like(beta), np.zeros((len(beta), len(beta))))
        odds = design @ beta
        hazard = np.exp(odds)
        weighted = hazard[:, None] * design
        total = at_risk(hazard)
        mean = at_risk(weighted) / total[:, None]
        spread = at_risk(weighted[:, :, None] * design[:, None, :]) / total[:, None, None]
        return NewtonSums(
            float(odds[event].sum() - np.log(total).sum()),
            design[event].sum(axis=0) - mean.sum(axis=0),
            spread.sum(axis=0) - mean.T @ mean,
        )

    return sums_at
