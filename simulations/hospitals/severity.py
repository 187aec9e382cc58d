"""How severe invented patients are, and what outcome follows from it, by kind of outcome.

Binary: -1/2 without and 1/2 with the event. All others: normal with standard deviation 1, and the outcome is cut from
it (classes), drawn around it (labels, horizons), is it (a number), or has a hazard that rises with it (survival).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.simulated import Simulation
from simulations.hospitals.chance import stream

Floats = NDArray[np.float64]
NORMAL = NormalDist()
LABEL = 0.7  # share of a label's own severity that is the patient's
FORGOTTEN = 0.06  # share of a horizon's severity that is new, for each step further
HAZARD, SHAPE = 1.0, 1.2  # log hazard for one standard deviation of severity; of Weibull's distribution
UPPER = 1.6  # a patient is observed for up to this many times the last cut


@dataclass(frozen=True)
class Law:
    """An outcome's law: ``draw(outcome, simulation, prevalence, count, rng)`` gives severities (count,) and truths
    (count, truths); ``cells(outcome, truth, rng)`` writes one truth; ``scale`` is the severity's standard deviation."""

    scale: float
    draw: Callable[[Any, Simulation, float, int, np.random.Generator], tuple[Floats, Floats]]
    cells: Callable[[Any, Floats, np.random.Generator], dict[str, str]]


def _lean(simulation: Simulation, prevalence: float) -> float:
    """How far a hospital's patients are more severe than all, from its prevalence."""
    return NORMAL.inv_cdf(prevalence) - NORMAL.inv_cdf(simulation.prevalence)


def _normal(simulation: Simulation, prevalence: float, count: int, rng: np.random.Generator) -> Floats:
    return _lean(simulation, prevalence) + rng.standard_normal(count)


def class_cuts(classes: int, simulation: Simulation) -> Floats:
    """Severities that part the classes, (classes - 1,), for the declared shares of them."""
    shares = np.array(simulation.shares or [1 / classes] * classes, dtype=np.float64)
    return np.array([NORMAL.inv_cdf(float(part)) for part in np.cumsum(shares)[:-1] / shares.sum()])


def _binary(
    outcome: Any, simulation: Simulation, prevalence: float, count: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    event = (rng.random(count) < prevalence).astype(np.float64)
    return event - 0.5, event[:, None]


def _binary_cells(outcome: Any, truth: Floats, rng: np.random.Generator) -> dict[str, str]:
    return {outcome.column: str(rng.choice(outcome.positive if truth[0] else outcome.negative))}


def _classes(
    outcome: Any, simulation: Simulation, prevalence: float, count: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    severity = _normal(simulation, prevalence, count, rng)
    place = np.searchsorted(class_cuts(len(outcome.classes), simulation), severity)
    return severity, place[:, None].astype(np.float64)


def _classes_cells(outcome: Any, truth: Floats, rng: np.random.Generator) -> dict[str, str]:
    return {outcome.column: str(rng.choice(list(outcome.classes.values())[int(truth[0])]))}


def _labels(
    outcome: Any, simulation: Simulation, prevalence: float, count: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    severity = _normal(simulation, prevalence, count, rng)
    own = rng.standard_normal((count, len(outcome.labels)))
    shares = simulation.shares or (simulation.prevalence,) * len(outcome.labels)
    cuts = np.array([NORMAL.inv_cdf(1 - share) for share in shares])
    return severity, (np.sqrt(LABEL) * severity[:, None] + np.sqrt(1 - LABEL) * own > cuts).astype(np.float64)


def _labels_cells(outcome: Any, truth: Floats, rng: np.random.Generator) -> dict[str, str]:
    words = (outcome.negative, outcome.positive)
    return {column: str(rng.choice(words[int(has)])) for column, has in zip(outcome.columns, truth, strict=True)}


def _numbers(
    outcome: Any, simulation: Simulation, prevalence: float, count: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """The value in the outcome's unit: one number is the severity, later horizons forget it step by step."""
    severity = _normal(simulation, prevalence, count, rng)
    low, high = outcome.range
    steps = np.arange(len(outcome.columns))
    kept = np.ones(1) if len(steps) == 1 else (1 - FORGOTTEN) ** (steps + 1)
    fresh = rng.standard_normal((count, len(steps)))
    value = kept * severity[:, None] + np.sqrt(1 - kept**2) * fresh
    return severity, np.clip((low + high) / 2 + (high - low) / 8 * value, low, high)


def _numbers_cells(outcome: Any, truth: Floats, rng: np.random.Generator) -> dict[str, str]:
    return {column: f"{value:.3f}" for column, value in zip(outcome.columns, truth, strict=True)}


def _survival(
    outcome: Any, simulation: Simulation, prevalence: float, count: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Time and event: Weibull with a hazard that rises with severity, censored evenly up to 1.6 times the last cut."""
    severity = _normal(simulation, prevalence, count, rng)
    relative, seen = _times(severity, rng)
    time = relative * _stretch(simulation.prevalence) * outcome.cuts[-1]
    end = seen * outcome.cuts[-1]
    return severity, np.column_stack([np.minimum(time, end), (time <= end).astype(np.float64)])


def _times(severity: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Times to the event for a scale of one, and ends of observation for a last cut of one."""
    times = (rng.exponential(size=len(severity)) / np.exp(HAZARD * severity)) ** (1 / SHAPE)
    return times, rng.uniform(0.2, UPPER, len(severity))


@lru_cache(maxsize=32)
def _stretch(share: float) -> float:
    """The scale of times at which this share of patients is seen to have the event."""
    rng = stream("stretch")
    times, seen = _times(rng.standard_normal(20_000), rng)
    return float(np.quantile(seen / times, 1 - share))


def _survival_cells(outcome: Any, truth: Floats, rng: np.random.Generator) -> dict[str, str]:
    words = outcome.positive if truth[1] else outcome.negative
    return {outcome.time: f"{truth[0]:.2f}", outcome.event: str(rng.choice(words))}


LAWS: Mapping[str, Law] = {
    "binary": Law(0.5, _binary, _binary_cells),
    "early-warning": Law(0.5, _binary, _binary_cells),
    "multiclass": Law(1.0, _classes, _classes_cells),
    "ordinal": Law(1.0, _classes, _classes_cells),
    "multilabel": Law(1.0, _labels, _labels_cells),
    "regression": Law(1.0, _numbers, _numbers_cells),
    "forecast": Law(1.0, _numbers, _numbers_cells),
    "survival": Law(1.0, _survival, _survival_cells),
}
