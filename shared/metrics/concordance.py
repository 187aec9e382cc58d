"""Concordance of a risk with censored survival: Harrell's C from counts of pairs, Uno's C, and the IPCW Brier score.

Over several sites Harrell's is the C *within* hospitals: pairs of patients of two hospitals would need both at hand.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.metrics.tally import Floats

BLOCK = 2_000_000  # pairs held at a time


@dataclass(frozen=True)
class PairCounts:
    """Comparable pairs of patients, and the sum of squares that the error of C is made of at this C's value."""

    concordant: int
    discordant: int
    tied: int  # in risk
    squares: float

    @classmethod
    def of(cls, time: Floats, event: Floats, risk: Floats) -> "PairCounts":
        """Count pairs of which the one known to fail first should have the higher ``risk``; (patients,) each."""
        wins, ties, pairs = np.zeros(len(time)), np.zeros(len(time)), np.zeros(len(time))
        concordant = tied = comparable = 0
        for rows, later in _comparable(time, event):
            won, equal = later & (risk[rows][:, None] > risk), later & (risk[rows][:, None] == risk)
            concordant, tied, comparable = (
                concordant + int(won.sum()),
                tied + int(equal.sum()),
                comparable + int(later.sum()),
            )
            for totals, part in ((wins, won), (ties, equal), (pairs, later)):
                totals[rows] += part.sum(axis=1)
                np.add(totals, part.sum(axis=0), out=totals)
        c = (concordant + tied / 2) / comparable if comparable else 0.0
        squares = float(np.sum((wins + ties / 2 - c * pairs) ** 2))
        return cls(concordant, comparable - concordant - tied, tied, squares)

    def __add__(self, other: "PairCounts") -> "PairCounts":
        """Pairs within either site."""
        return PairCounts(
            self.concordant + other.concordant,
            self.discordant + other.discordant,
            self.tied + other.tied,
            self.squares + other.squares,
        )

    @property
    def pairs(self) -> int:
        """Comparable pairs."""
        return self.concordant + self.discordant + self.tied

    def c(self) -> float | None:
        """Share of concordant pairs, ties as halves; None without a pair."""
        return (self.concordant + self.tied / 2) / self.pairs if self.pairs else None

    def error(self) -> float | None:
        """Standard error (infinitesimal jackknife; over sites, each about its own C)."""
        return math.sqrt(self.squares) / self.pairs if self.pairs else None


def uno_c(time: Floats, event: Floats, risk: Floats, horizon: float = math.inf) -> float | None:
    """Concordance that does not depend on the censoring (Uno et al. 2011), pairs up to ``horizon``."""
    weights = _inverse_censoring(time, event, time) ** 2 * (event == 1) * (time < horizon)
    right = total = 0.0
    for rows, later in _comparable(time, event):
        score = (risk[rows][:, None] > risk) + 0.5 * (risk[rows][:, None] == risk)
        right += float(weights[rows] @ (later * score).sum(axis=1))
        total += float(weights[rows] @ later.sum(axis=1))
    return right / total if total > 0 else None


def censored_brier(time: Floats, event: Floats, survival: Floats, horizon: float) -> float:
    """Brier score at ``horizon`` of predicted ``survival`` beyond it, weighted for censoring (Graf 1999)."""
    failed = (time <= horizon) & (event == 1)
    alive = time > horizon
    at_event = _inverse_censoring(time, event, time)
    at_horizon = _inverse_censoring(time, event, np.array([horizon]))[0]
    return float(np.mean(failed * at_event * survival**2 + alive * at_horizon * (1 - survival) ** 2))


def _inverse_censoring(time: Floats, event: Floats, moments: Floats) -> Floats:
    """1 / probability of being uncensored at each moment; 0 where that is 0."""
    times, censored = np.unique(time[event == 0], return_counts=True)
    at_risk = np.sum((time > times[:, None]) | ((time == times[:, None]) & (event == 0)), axis=1)  # events come first
    kept = np.concatenate([[1.0], np.cumprod(1 - censored / at_risk)])
    chance = kept[np.searchsorted(times, moments, side="right")]
    return np.asarray(np.divide(1.0, chance, out=np.zeros_like(chance), where=chance > 0))


def _comparable(time: Floats, event: Floats) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]]:
    """Rows of events, and (events, patients) who is known to fail later; a few rows at a time."""
    failed = np.flatnonzero(event == 1)
    size = max(1, BLOCK // max(len(time), 1))
    for start in range(0, len(failed), size):
        rows = failed[start : start + size]
        mine = time[rows][:, None]
        yield rows, (time > mine) | ((time == mine) & (event == 0))
