"""Figures from a tally of scores that carries noise: AUC, rates at the threshold and calibration, with intervals.

Cells are the same for every model and hospital, around its frozen threshold. The noise of every cell is independent,
has mean zero and a known size, so that what it adds to a figure's variance is known too.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from shared.metrics.recalibration import line_fit
from shared.metrics.tally import Floats
from shared.metrics.threshold import counts_between

# Log odds beside the threshold, finest near it: scores are narrow under privacy, and each cell costs its noise.
CUTS: Floats = np.array([-4, -2, -1, -0.5, -0.25, -0.125, 0, 0.125, 0.25, 0.5, 1, 2, 4], dtype=np.float64)
CELLS = len(CUTS) + 1
CENTRES: Floats = np.array([-5.0, *((low + high) / 2 for low, high in pairwise(CUTS.tolist())), 5.0])
MIDDLE = CUTS.tolist().index(0.0) + 1  # the first cell from the threshold on
SURE = 3.0  # standard deviations of its noise that a class must hold, or nothing is said of it


@dataclass(frozen=True)
class NoisyTally:
    """``counts`` (2, CELLS) of (others, events), each with noise of variance ``noise``, of ``patients`` in all."""

    counts: Floats
    noise: float
    patients: int

    @classmethod
    def of(cls, counts: Floats, noise: float, patients: int) -> "NoisyTally":
        """As it was released. The number of patients is public: what is missing to it is shared out over the cells."""
        return cls(counts + (patients - counts.sum()) / counts.size, noise, patients)

    def __add__(self, other: "NoisyTally") -> "NoisyTally":
        """Two hospitals' together, at one threshold."""
        patients = self.patients + other.patients
        return NoisyTally(self.counts + other.counts, self.noise + other.noise, patients)

    @property
    def told(self) -> bool:
        """Whether both classes stand out of their noise."""
        return float(self.counts.sum(axis=1).min()) > SURE * float(np.sqrt(self.noise * CELLS))

    def area(self) -> tuple[float, float] | None:
        """AUC of the binned scores, and its variance over patients and noise; None where a class is lost in noise."""
        others, events = self.counts
        n, m = others.sum(), events.sum()
        if not self.told:
            return None
        above = (others.cumsum() - others / 2) / n  # of an event in each cell: others below it
        below = 1 - (events.cumsum() - events / 2) / m  # of another in each cell: events above it
        area = float(events @ above) / m
        of_patients = sum(
            max(float(own @ (placed - area) ** 2), 0.0) / total**2
            for own, placed, total in ((events, above, m), (others, below, n))
        )
        of_noise = self.noise * (float(((above - area) / m) @ ((above - area) / m)))
        of_noise += self.noise * (float(((below - area) / n) @ ((below - area) / n)))
        return float(np.clip(area, 0, 1)), of_patients + of_noise

    def rate(self, event: bool) -> tuple[float, float] | None:
        """Sensitivity (of events) or specificity at the threshold, and its variance."""
        counts, right = self.counts[int(event)], slice(MIDDLE, None) if event else slice(MIDDLE)
        total, hits = float(counts.sum()), float(counts[right].sum())
        if not self.told:
            return None
        share = hits / total
        inside = len(counts[right])
        noise = self.noise * (inside * (1 - share) ** 2 + (CELLS - inside) * share**2) / total**2
        return float(np.clip(share, 0, 1)), _binomial(share, total) + noise

    def prevalence(self) -> tuple[float, float]:
        """Share of events, and its variance; the patients of both classes are ``patients``."""
        share = float(self.counts[1].sum()) / self.patients
        return float(np.clip(share, 0, 1)), _binomial(share, self.patients) + self.noise * CELLS / self.patients**2 / 2

    def ratio(self, middle: float) -> tuple[float, float] | None:
        """Logarithm of observed over expected events, and its variance; ``middle`` is the threshold's log odds."""
        if not self.told:
            return None
        risk = 1 / (1 + np.exp(-(CENTRES + middle)))
        observed, expected = float(self.counts[1].sum()), float(self.counts.sum(axis=0) @ risk)
        if expected <= 0:
            return None
        slopes = np.stack([-risk / expected, 1 / observed - risk / expected])
        sampling = max(1 / observed - 1 / self.patients, 0.0)
        return float(np.log(observed / expected)), sampling + self.noise * float(np.sum(slopes**2))

    def line(self, middle: float, with_slope: bool) -> tuple[float, float] | None:
        """Calibration slope, or in the large without one, and its variance; None where no line is found."""
        centres = CENTRES + middle
        fit = line_fit(self.counts, centres, with_slope) if self.told else None
        if fit is None:
            return None
        design = np.stack([np.ones(CELLS), centres], axis=1) if with_slope else np.ones((CELLS, 1))
        odds = design @ fit.coefficients + (0.0 if with_slope else centres)
        risk = 1 / (1 + np.exp(-odds.clip(-700, 700)))
        spread = self.noise * ((1 - risk) ** 2 + risk**2)  # of the score that each cell's two counts enter
        covariance = fit.covariance + fit.covariance @ ((design.T * spread) @ design) @ fit.covariance
        return float(fit.coefficients[-1]), float(covariance[-1, -1])

    def roc(self) -> tuple[list[float], list[float]] | None:
        """False and true positive rates from (0, 0) to (1, 1), the highest cell first, rising as rates do."""
        if not self.told:
            return None
        shares = [np.clip(own[::-1].cumsum() / own.sum(), 0, 1) for own in self.counts]
        false, true = (np.maximum.accumulate(np.concatenate([[0.0], own])).tolist() for own in shares)
        return false, true


def noisy_counts(event: Floats, score: Floats, shares: Floats) -> Floats:
    """The counts (2, CELLS) before their noise; ``score`` (units,) is the log odds minus the threshold's."""
    return counts_between(CUTS, event, score, shares)


def _binomial(share: float, total: float) -> float:
    return max(share * (1 - share), 0.0) / total
