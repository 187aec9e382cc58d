"""Columns of an invented table: numbers and categories whose distribution given the severity is known.

Each column has a normal score whose mean is separation x sqrt(share) x severity; the shares of a table's columns add up
to one. A number is the score on its clinical scale, a category is the interval that the score falls into.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from shared.modalities.tabular import Categorical, Numeric, Tabular
from shared.simulated import Marginal, Simulation
from simulations.hospitals.marginals import usual

Floats = NDArray[np.float64]
NORMAL = NormalDist()
COUNTED = ("years", "pack-years", "cm", "/min", "mmHg", "%")


@dataclass(frozen=True)
class Number:
    """A number rises (or falls, with a negative ``spread``) with the score; bounded to its declared range."""

    share: float
    centre: float
    spread: float
    low: float
    high: float
    skewed: bool = False  # centre and spread are those of the square root
    decimals: int = 1

    def value(self, score: float) -> float:
        """The number as a clinician would write it down."""
        plain = self.centre + self.spread * score
        return min(max(plain * abs(plain) if self.skewed else plain, self.low), self.high)


@dataclass(frozen=True)
class Category:
    """Words in rising order of the score, apart at ``cuts``."""

    share: float
    words: tuple[str, ...]
    cuts: tuple[float, ...]

    def value(self, score: float) -> str:
        """The word of the interval that the score lies in."""
        return self.words[sum(score > cut for cut in self.cuts)]


Column = Number | Category


def columns_of(spec: Tabular, simulation: Simulation) -> dict[str, Column]:
    """A table's columns, those that the study's simulation names first and in its order; shares add up to one."""
    order = [name for name in simulation.columns if name in spec.columns]
    order += [name for name in spec.columns if name not in order]
    named: dict[str, Numeric | Categorical] = {**spec.numeric, **spec.categorical}
    drawn = {name: column_of(name, named[name], simulation.columns.get(name)) for name in order}
    total = sum(column.share for column in drawn.values())
    return {name: replace(column, share=column.share / total) for name, column in drawn.items()}


def column_of(name: str, declared: Numeric | Categorical, marginal: Marginal | None) -> Column:
    """One column, its share not yet scaled: as the study says, or as is usual for its name, or by its range."""
    stated = marginal or Marginal()
    if isinstance(declared, Categorical):
        count = len(declared.values)
        shares = stated.shares or (1 / count,) * count
        below = np.cumsum(shares)[:-1] / sum(shares)
        return Category(stated.weight, declared.values, tuple(NORMAL.inv_cdf(float(part)) for part in below))
    low, high = declared.range
    centre, spread, skewed = usual(name, low, high)
    if stated.centre is not None:
        centre, skewed = stated.centre, stated.skewed
    spread = spread if stated.spread is None else stated.spread
    decimals = _decimals(declared) if stated.decimals is None else stated.decimals
    return Number(stated.weight, centre, spread, low, high, skewed, decimals)


def _decimals(declared: Numeric) -> int:
    """Digits after the point as they are usual: none for what is counted, fewer the wider the range.

    A logarithm tells small values apart.
    """
    if declared.scale == "log":
        return 0 if declared.range[0] >= 1 else 2
    width = declared.range[1] - declared.range[0]
    return 0 if declared.unit in COUNTED or width > 80 else 1 if width > 25 else 2


def draw(
    columns: Mapping[str, Column], severity: Floats, separation: float, rng: np.random.Generator
) -> dict[str, Floats]:
    """Scores of every column for these severities: a vector (patients,) a column."""
    return {
        name: severity * separation * sqrt(column.share) + rng.standard_normal(len(severity))
        for name, column in columns.items()
    }


def log_likelihood(
    columns: Mapping[str, Column], scores: Mapping[str, Floats], separation: float, severity: Floats
) -> Floats:
    """(patients, severities): of what the table shows, up to a constant of the patient: numbers in full, categories as
    intervals."""
    total = np.zeros((len(next(iter(scores.values()))), len(severity)))
    for name, column in columns.items():
        means = separation * sqrt(column.share) * severity
        if isinstance(column, Number):
            total += scores[name][:, None] * means - means**2 / 2
        else:
            words = np.searchsorted(np.array(column.cuts), scores[name])
            total += np.log(_shares(column, means))[words]
    return total


def _shares(column: Category, means: Floats) -> Floats:
    """(words, severities): P(word | severity) of a category whose score has this mean."""
    from scipy.stats import norm

    cuts = np.array([-np.inf, *column.cuts, np.inf])
    return np.asarray(np.maximum(np.diff(norm.cdf(cuts[:, None] - means), axis=0), 1e-300))
