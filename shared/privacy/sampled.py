"""What Gaussian releases of Poisson samples cost, by two accountants that others wrote.

Neighbours are zero-out: a patient's record or an empty one, whose gradient is zero. Of a sum over patients who were
each drawn with probability q, the two outputs are then N(0, s^2) and (1 - q) N(0, s^2) + q N(1, s^2), as for adding or
removing a record, and both directions count. dp-accounting has this as REPLACE_SPECIAL and takes the worse direction;
Opacus' PRV has one direction, the record taken away.
"""

import math
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dp_accounting.pld.privacy_loss_distribution import PrivacyLossDistribution

Sampled = tuple[tuple[float, float, int], ...]  # (noise multiplier, sample rate, steps)
INTERVAL = 5e-4  # of the privacy loss, by default; rounding is upwards
PRV_ERROR = (2e-3, 4e-3, 1e-2)  # of epsilon: at least, as a share of epsilon, at most; the upper bound is taken


def pld_epsilon(full: float, sampled: Sampled, delta: float, interval: float = INTERVAL) -> float:
    """Epsilon by privacy loss distributions; ``full`` is the squared mu of all full batches."""
    if full == 0 and not sampled:
        return 0.0
    return float(_distribution(full, sampled, interval if sampled else INTERVAL / 5).get_epsilon_for_delta(delta))


def prv_epsilon(full: float, sampled: Sampled, delta: float) -> float:
    """Upper bound of epsilon by Opacus' privacy random variables; infinite where it finds none."""
    at_least, share, at_most = PRV_ERROR
    error = min(max(share * pld_epsilon(full, sampled, delta), at_least), at_most)
    return _prv_epsilon(full, sampled, delta, error)


def sampled_power(full: float, sampled: Sampled, wrongly: float) -> float:
    """No test at level ``wrongly`` has more power; each (epsilon, delta) bounds it twice (Dong et al. 2022)."""
    epsilons = np.linspace(0.0, 20.0, 400)
    deltas = np.array(_distribution(full, sampled, INTERVAL).get_delta_for_epsilon(list(epsilons)))
    one_side = np.exp(epsilons) * wrongly + deltas
    other_side = 1 - np.exp(-epsilons) * (1 - deltas - wrongly)
    return float(min(one_side.min(), other_side.min(), 1.0))


@lru_cache(maxsize=4096)
def _prv_epsilon(full: float, sampled: Sampled, delta: float, error: float) -> float:
    from opacus.accountants import PRVAccountant

    accountant = PRVAccountant()
    accountant.history = [*sampled, *([(1 / math.sqrt(full), 1.0, 1)] if full else [])]
    with warnings.catch_warnings(), np.errstate(all="ignore"):  # log(1 - q) at q = 1, and a first guess by RDP
        warnings.simplefilter("ignore")
        try:
            return float(accountant.get_epsilon(delta, eps_error=error))
        except (RuntimeError, ValueError, OverflowError, MemoryError):
            return math.inf


@lru_cache(maxsize=256)
def _distribution(full: float, sampled: Sampled, interval: float) -> "PrivacyLossDistribution":
    from dp_accounting import NeighboringRelation
    from dp_accounting.pld.privacy_loss_distribution import from_gaussian_mechanism, identity

    found = identity(value_discretization_interval=interval)
    if full:
        found = from_gaussian_mechanism(
            1 / math.sqrt(full),
            value_discretization_interval=interval,
            neighboring_relation=NeighboringRelation.REPLACE_SPECIAL,
        )
    for noise, rate, steps in sampled:
        found = found.compose(_one(noise, rate, interval).self_compose(steps))
    return found


@lru_cache(maxsize=64)
def _one(noise: float, rate: float, interval: float) -> "PrivacyLossDistribution":
    from dp_accounting import NeighboringRelation
    from dp_accounting.pld.privacy_loss_distribution import from_gaussian_mechanism

    return from_gaussian_mechanism(
        noise,
        sampling_prob=rate,
        value_discretization_interval=interval,
        neighboring_relation=NeighboringRelation.REPLACE_SPECIAL,
    )
