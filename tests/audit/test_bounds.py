"""An audit's bounds are wrong no more often than they say, against the strongest attack that the guarantee allows."""

import math

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import beta, binom

from shared.privacy.accounting import gaussian_epsilon
from simulations.audit.bounds import (
    auc_limit,
    clopper_pearson,
    noticed_epsilon,
    one_run_epsilon,
    step_epsilon,
    true_positive_limit,
)

DELTA = 1e-4


def false_alarms(chances: np.ndarray, shown: list[float], declared: float) -> float:
    """The exact probability that the bound passes what is declared."""
    return float(sum(chance for chance, value in zip(chances, shown, strict=True) if value > declared))


@pytest.mark.parametrize("error", [0.05, 0.01])
@pytest.mark.parametrize("mu", [0.1, 0.4, 1.0])
def test_one_step_alarms_falsely_as_seldom_as_it_says(mu: float, error: float) -> None:
    trials = 400
    chances = binom.pmf(np.arange(trials + 1), trials, ndtr(mu / 2))  # the best attack on a Gaussian mechanism
    shown = [step_epsilon(right, trials, DELTA, error) for right in range(trials + 1)]
    assert false_alarms(chances, shown, gaussian_epsilon(mu, DELTA)) <= error
    assert false_alarms(chances, shown, gaussian_epsilon(mu, DELTA)) > error / 3  # and no bound is given away
    assert shown == sorted(shown)


@pytest.mark.parametrize("epsilon", [0.5, 1.0, 2.0])
def test_one_run_alarms_falsely_as_seldom_as_it_says(epsilon: float) -> None:
    canaries, error = 200, 0.05
    chances = binom.pmf(np.arange(canaries + 1), canaries, 1 / (1 + math.exp(-epsilon)))  # randomized response
    shown = [one_run_epsilon(right, canaries, 0.0, error) for right in range(canaries + 1)]
    assert error / 3 < false_alarms(chances, shown, epsilon) <= error
    assert all(one_run_epsilon(right, canaries, DELTA, error) <= shown[right] for right in (120, 160, 200))


def test_bounds_known_in_closed_form() -> None:
    assert clopper_pearson(0, 50, 0.025) == (0.0, pytest.approx(1 - 0.025 ** (1 / 50)))
    assert clopper_pearson(50, 50, 0.025) == (pytest.approx(0.025 ** (1 / 50)), 1.0)
    assert clopper_pearson(7, 20, 0.05)[0] == pytest.approx(beta.ppf(0.05, 7, 14))
    rate = 0.05 ** (1 / 200)  # all of 200 right: epsilon is that of randomized response at which this has chance 5 %
    assert one_run_epsilon(200, 200, 0.0, 0.05) == pytest.approx(math.log(rate / (1 - rate)))
    assert one_run_epsilon(100, 200, DELTA, 0.05) == 0.0
    assert step_epsilon(100, 200, DELTA, 0.05) == 0.0
    assert auc_limit(0.0) == 0.5
    assert true_positive_limit(0.01, 0.0) == pytest.approx(0.01)


def test_what_is_called_noticeable_is_noticed_four_times_in_five() -> None:
    trials, error, declared = 500, 0.05, gaussian_epsilon(0.4, DELTA)

    def shown(right: int) -> float:
        return step_epsilon(right, trials, DELTA, error)

    noticed = noticed_epsilon(shown, trials, declared, DELTA)
    assert noticed is not None
    mu = next(mu for mu in np.arange(0.4, 3, 0.001) if gaussian_epsilon(mu, DELTA) >= noticed)
    chances = binom.pmf(np.arange(trials + 1), trials, ndtr(mu / 2))
    power = false_alarms(chances, [shown(right) for right in range(trials + 1)], declared)
    assert power == pytest.approx(0.8, abs=0.02)
    assert noticed_epsilon(shown, trials, shown(trials), DELTA) is None  # what no trial could refute
