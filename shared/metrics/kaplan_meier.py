"""Survival of censored patients: Kaplan and Meier's curve at one site, and life tables that add up over sites."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from shared.metrics.tally import Floats


@dataclass(frozen=True)
class Survival:
    """The curve after each distinct event time, with Greenwood's sum for its variance; all (times,)."""

    times: Floats
    survival: Floats
    greenwood: Floats

    def at(self, time: float) -> float:
        """Survival beyond ``time``."""
        place = int(np.searchsorted(self.times, time, side="right"))
        return float(self.survival[place - 1]) if place else 1.0

    def median(self) -> float | None:
        """The first time at which half or fewer survive; None where more always do."""
        return _first(self.times, self.survival)

    def median_interval(self, level: float = 0.95) -> tuple[float | None, float | None]:
        """Where the band of the curve, symmetric for its logarithm, crosses one half (as R's survfit)."""
        half = float(norm.ppf((1 + level) / 2)) * np.sqrt(self.greenwood)
        return _first(self.times, self.survival * np.exp(-half)), _first(self.times, self.survival * np.exp(half))


@dataclass(frozen=True)
class LifeTable:
    """Patients at risk at the start of each interval, and events and censored in it: (groups, intervals) each.

    The intervals are declared beforehand; a patient stays at risk to the end of the last.
    """

    at_risk: Floats
    events: Floats
    censored: Floats

    @classmethod
    def of(cls, time: Floats, event: Floats, group: Floats, groups: int, edges: Floats) -> "LifeTable":
        """Count patients: ``group`` (patients,) from 0; intervals (edges[i], edges[i + 1]], the first from edges[0]."""
        place = np.searchsorted(edges, time, side="left") - 1
        place = np.maximum(place, 0)
        shape = (groups, len(edges) - 1)
        tables = []
        for kind in (event == 1, event == 0):
            table = np.zeros(shape)
            inside = kind & (place < shape[1])
            np.add.at(table, (group[inside].astype(np.int64), place[inside]), 1)
            tables.append(table)
        beyond = np.bincount(group[place >= shape[1]].astype(np.int64), minlength=groups)[:, None]
        left = tables[0] + tables[1]
        at_risk = np.cumsum(left[:, ::-1], axis=1)[:, ::-1] + beyond
        return cls(at_risk.astype(np.float64), tables[0], tables[1])

    def __add__(self, other: "LifeTable") -> "LifeTable":
        """Both groups of patients."""
        return LifeTable(self.at_risk + other.at_risk, self.events + other.events, self.censored + other.censored)

    def survival(self) -> Floats:
        """Actuarial survival (groups, intervals) at the end of each: the censored count half."""
        exposed = self.at_risk - self.censored / 2
        share = np.divide(self.events, exposed, out=np.zeros_like(exposed), where=exposed > 0)
        return np.cumprod(1 - share, axis=1)


def kaplan_meier(time: Floats, event: Floats) -> Survival:
    """The curve of patients with ``time`` (patients,) and ``event`` 1, or 0 where censored."""
    times, deaths = np.unique(time[event == 1], return_counts=True)
    ordered = np.sort(time)
    at_risk = len(time) - np.searchsorted(ordered, times, side="left")
    share = deaths / at_risk
    left = at_risk - deaths
    terms = np.divide(deaths, at_risk * left, out=np.full(len(times), math.inf), where=left > 0)
    return Survival(times, np.asarray(np.cumprod(1 - share)), np.asarray(np.cumsum(terms)))


def survival_at(time: Floats, event: Floats, horizon: float) -> float:
    """Survival beyond ``horizon``."""
    return kaplan_meier(time, event).at(horizon)


def _first(times: Floats, survival: Floats) -> float | None:
    below = np.flatnonzero(survival <= 0.5 + 1e-12)
    return float(times[below[0]]) if len(below) else None
