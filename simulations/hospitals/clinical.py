"""The clinical table of laryngeal patients: numbers and categories whose distribution given the event is known.

Each column has a normal score whose class means lie separation x sqrt(share) apart; the shares add up to one. A number
is the score on its clinical scale, a category is the interval that the score falls into.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import erf, sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Number:
    """A number rises (or falls, with a negative ``spread``) with the score; bounded to what is plausible."""

    share: float
    centre: float
    spread: float
    low: float
    high: float
    skewed: bool = False  # centre and spread are those of the square root

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


COLUMNS: Mapping[str, Number | Category] = {
    "age": Number(0.06, 62, 10, 31, 88),
    "sex": Category(0.06, ("female", "male"), (-0.88,)),
    "bmi": Number(0.10, 23.5, -3.2, 15, 42),
    "smoking": Number(0.20, 31, 17, 0, 110),
    "hoarseness": Number(0.25, 2.9, 0.85, 0.2, 58, skewed=True),
    "site": Category(0.15, ("glottic", "supraglottic", "subglottic"), (0.25, 1.7)),
    "differentiation": Category(0.18, ("well", "moderate", "poor"), (-0.45, 0.75)),
}
DECIMALS = {"age": 0, "bmi": 1, "smoking": 0, "hoarseness": 1}
# Codes of "not recorded" as they are found in real tables, and how often each column has one.
SENTINELS = {"bmi": ("0", "-1"), "smoking": ("-1",), "hoarseness": ("-1",)}
SENTINEL_RATE = 0.03
EMPTY_RATE = 0.02


def draw(event: NDArray[np.bool_], separation: float, rng: np.random.Generator) -> dict[str, Floats]:
    """Scores of every column for patients with or without the event: a vector (patients,) a column."""
    half = np.where(event, 0.5, -0.5)
    return {
        name: half * separation * sqrt(column.share) + rng.standard_normal(len(event))
        for name, column in COLUMNS.items()
    }


def log_ratio(scores: Mapping[str, Floats], separation: float) -> Floats:
    """Log-likelihood ratio of the event given what the table shows: numbers in full, categories as intervals."""
    total = np.zeros(len(next(iter(scores.values()))))
    for name, column in COLUMNS.items():
        gap = separation * sqrt(column.share)
        if isinstance(column, Number):
            total += gap * scores[name]
        else:
            words = np.searchsorted(np.array(column.cuts), scores[name])
            total += np.log(_shares(column, gap / 2) / _shares(column, -gap / 2))[words]
    return total


def written(event: bool, separation: float, rng: np.random.Generator) -> dict[str, str]:
    """One patient's cells as a hospital has them: rounded, with sentinels and empty cells."""
    scores = draw(np.array([event]), separation, rng)
    cells = {name: _cell(name, float(scores[name][0])) for name in COLUMNS}
    for name in COLUMNS:
        fate = rng.random()
        if fate < EMPTY_RATE and name not in ("age", "sex"):
            cells[name] = ""
        elif fate > 1 - SENTINEL_RATE and name in SENTINELS:
            cells[name] = str(rng.choice(SENTINELS[name]))
    return cells


def _cell(name: str, score: float) -> str:
    value = COLUMNS[name].value(score)
    return value if isinstance(value, str) else f"{value:.{DECIMALS[name]}f}"


def _shares(column: Category, mean: float) -> Floats:
    """P(word | class) of a category whose score has this mean."""
    below = [0.0, *(0.5 * (1 + erf((cut - mean) / sqrt(2))) for cut in column.cuts), 1.0]
    return np.diff(np.array(below))
