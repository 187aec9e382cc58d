"""A Cox regression as it travels: coefficients and a baseline hazard that is constant within each interval of the cuts.

Its sums add up over hospitals, each of which is a stratum with a baseline of its own while the coefficients are fitted.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from shared.learners import Cox
from shared.metrics.tally import Floats
from shared.modalities.tabular import Tabular
from shared.outcomes.survival import Survival
from shared.study import Study
from shared.wire import Arrays

STAGE, PREFIX = "cox", "cox."  # of a run, and of the arrays' names before the learner's own
SUMS = ("likelihood", "gradient", "information", "events", "exposure")
MOST_ROUNDS = 200  # questions of one run; a fit takes about seven a regression
SMALLEST = 1e-7  # probability of an event in an interval, so that its log odds stay finite


def cox_in(study: Study, arm: str) -> dict[str, Cox]:
    """The Cox regressions of a run's arm, by name."""
    return {name: own for name, own in study.cox.items() if arm.partition(":")[0] in own.arms}


def inputs_of(study: Study, choice: Cox) -> int:
    """Numbers that a regression reads of a patient: a table's, another modality's embedding, and who has which."""
    sizes = [own.shape[0] if isinstance(own, Tabular) else own.width for own in _modalities(study, choice)]
    return sum(sizes) + len(sizes)


def _modalities(study: Study, choice: Cox) -> list[Tabular]:
    return [study.modalities[name] for name in choice.modalities]  # type: ignore[misc]


def shapes(study: Study, choice: Cox) -> dict[str, tuple[int, ...]]:
    """Of each array of a hospital's answer, by what it is; the last interval is the time after the last cut."""
    inputs, intervals = inputs_of(study, choice), study.outcome.outputs + 1
    return dict(zip(SUMS, ((1,), (inputs,), (inputs, inputs), (intervals,), (intervals,)), strict=True))


def array(name: str, what: str) -> str:
    """An array's name in a hospital's answer."""
    return f"{PREFIX}{name}.{what}"


def fitted_shape(study: Study, choice: Cox) -> tuple[int, ...]:
    """Of a fitted regression: coefficients, then the baseline's rate in each interval, per unit of time."""
    return (inputs_of(study, choice) + study.outcome.outputs,)


def exposure(outcome: Survival, time: Floats) -> Floats:
    """Time that each unit was watched in each interval, (units, intervals), the last of them after the last cut."""
    ends = np.array([*outcome.cuts, np.inf])
    starts = np.array([0.0, *outcome.cuts])
    return np.asarray(np.clip(time[:, None] - starts, 0.0, ends - starts))


def interval(outcome: Survival, time: Floats) -> npt.NDArray[np.int64]:
    """The number of the interval in which each time lies; a cut belongs to what begins with it."""
    return np.asarray(np.searchsorted(outcome.cuts, time, side="right"), dtype=np.int64)


def log_odds(fitted: Floats, design: Floats, cuts: Sequence[float]) -> Floats:
    """Log odds of the event in each interval among those who reach it, (units, intervals), as the outcome's scores."""
    lengths = np.diff([0.0, *cuts])
    coefficients, rates = fitted[: -len(cuts)], fitted[-len(cuts) :]
    cumulative = np.exp(np.clip(design @ coefficients, -50, 50))[:, None] * (rates * lengths)
    hazard = np.clip(-np.expm1(-cumulative), SMALLEST, 1 - SMALLEST)
    return np.asarray(np.log(hazard) - np.log1p(-hazard))


def due(study: Study, arm: str, arrays: Arrays) -> dict[str, Cox]:
    """The regressions that a question is about: those whose coefficients it holds."""
    return {name: own for name, own in cox_in(study, arm).items() if PREFIX + name in arrays}
