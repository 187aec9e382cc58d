"""Maximum likelihood from sums that add up over sites: each Newton step needs a gradient and an information matrix."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from shared.metrics.tally import Floats

CONVERGED = 1e-9  # Newton decrement below which one more step reaches the rounding error
SETTLED = 1e-3  # of a coefficient that the last step may move: under perfect separation it moves on without end


@dataclass(frozen=True)
class NewtonSums:
    """Log-likelihood at some coefficients (p,), its gradient (p,) and its negative Hessian (p, p)."""

    likelihood: float
    gradient: Floats
    information: Floats

    def __add__(self, other: "NewtonSums") -> "NewtonSums":
        """Both groups of patients."""
        return NewtonSums(
            self.likelihood + other.likelihood,
            self.gradient + other.gradient,
            self.information + other.information,
        )


@dataclass(frozen=True)
class Fit:
    """Coefficients (p,), their covariance (p, p), and the log-likelihood at the start and at the end."""

    coefficients: Floats
    covariance: Floats
    start: float
    likelihood: float

    @property
    def errors(self) -> Floats:
        """Standard errors (p,)."""
        return np.sqrt(np.diag(self.covariance))


def maximise(sums_at: Callable[[Floats], NewtonSums], start: Floats, steps: int = 50) -> Fit | None:
    """Newton's method with halved steps; None where no finite maximum is found."""
    beta, sums = start, sums_at(start)
    first = sums.likelihood
    for _ in range(steps):
        try:
            step = np.linalg.solve(sums.information, sums.gradient)
        except np.linalg.LinAlgError:
            return None
        if float(sums.gradient @ step) < CONVERGED:
            settled = np.all(np.abs(step) <= SETTLED * (1 + np.abs(beta)))
            return _fit(beta + step, sums_at(beta + step), first) if settled else None
        halved = next((half for half in 0.5 ** np.arange(20) if _rises(sums_at, beta + half * step, sums)), None)
        if halved is None:
            return None
        beta = beta + halved * step
        sums = sums_at(beta)
    return None


def logistic(design: Floats, outcome: Floats, offset: Floats) -> Callable[[Floats], NewtonSums]:
    """Sums of a logistic regression; ``design`` (patients, p), ``outcome`` 0 or 1 and ``offset`` (patients,)."""

    def sums_at(beta: Floats) -> NewtonSums:
        odds = design @ beta + offset
        risk = 1 / (1 + np.exp(-np.clip(odds, -700, 700)))
        likelihood = float(np.sum(outcome * odds - np.logaddexp(0, odds)))
        return NewtonSums(likelihood, design.T @ (outcome - risk), (design.T * (risk * (1 - risk))) @ design)

    return sums_at


def _rises(sums_at: Callable[[Floats], NewtonSums], beta: Floats, sums: NewtonSums) -> bool:
    return sums_at(beta).likelihood >= sums.likelihood


def _fit(beta: Floats, sums: NewtonSums, first: float) -> Fit | None:
    try:
        covariance = np.asarray(np.linalg.inv(sums.information), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None
    sound = np.all(np.isfinite(covariance)) and np.all(np.diag(covariance) > 0)
    return Fit(beta, covariance, first, sums.likelihood) if sound else None
