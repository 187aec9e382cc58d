"""Epsilon against known values and two accountants that others wrote; and plans that keep to their budget."""

import math

import numpy as np
import pytest
from dp_accounting import GaussianDpEvent, NeighboringRelation
from dp_accounting.pld import PLDAccountant
from opacus.accountants import PRVAccountant

from shared.privacy.accounting import composed_epsilon, gaussian_delta, gaussian_epsilon, spent_epsilon
from shared.privacy.mechanism import PrivacyPlan, plan_privacy
from shared.study import Study
from shared.study_file import load_study

DELTA = 1e-4
CONFIGURATIONS = [(1.0, 1), (5.0, 40), (12.0, 120), (2.0, 3), (30.0, 60)]


def test_a_single_release_with_noise_as_large_as_its_sensitivity() -> None:
    """Values of the analytic Gaussian mechanism (Balle and Wang 2018) at mu = 1."""
    assert gaussian_delta(1.0, 1.0) == pytest.approx(0.12693673750664397, abs=1e-14)
    assert gaussian_epsilon(1.0, 1e-5) == pytest.approx(4.377178, abs=1e-6)
    assert spent_epsilon([(1.0, 1)], 1e-5) == gaussian_epsilon(1.0, 1e-5)


@pytest.mark.parametrize(("mu", "epsilon"), [(0.5, 0.3), (1.0, 2.0), (3.0, 5.0)])
def test_delta_is_the_integral_that_defines_it(mu: float, epsilon: float) -> None:
    x = np.linspace(-40, 40, 2_000_001)
    p, q = (np.exp(-((x - centre) ** 2) / 2) / math.sqrt(2 * math.pi) for centre in (mu, 0.0))
    integral = float(np.sum(np.maximum(p - math.exp(epsilon) * q, 0)) * (x[1] - x[0]))
    assert gaussian_delta(mu, epsilon) == pytest.approx(integral, rel=1e-6)


@pytest.mark.parametrize(("noise", "releases"), CONFIGURATIONS)
def test_the_closed_form_equals_privacy_loss_distributions(noise: float, releases: int) -> None:
    accountant = PLDAccountant(neighboring_relation=NeighboringRelation.REPLACE_SPECIAL)
    accountant.compose(GaussianDpEvent(noise), releases)
    exact = spent_epsilon([(noise, releases)], DELTA)
    assert exact == pytest.approx(accountant.get_epsilon(DELTA), rel=1e-3)
    assert composed_epsilon([(noise, releases)], DELTA) == pytest.approx(exact, rel=1e-3)


@pytest.mark.filterwarnings(
    "ignore:divide by zero encountered in log:RuntimeWarning"
)  # Opacus takes log(1 - q) at q = 1
@pytest.mark.filterwarnings("ignore:Optimal order is the largest alpha:UserWarning")  # of its own rough first guess
@pytest.mark.parametrize(("noise", "releases"), [(5.0, 40), (12.0, 120), (30.0, 60)])
def test_the_closed_form_agrees_with_opacus(noise: float, releases: int) -> None:
    accountant = PRVAccountant()
    accountant.history = [(noise, 1.0, releases)]
    assert spent_epsilon([(noise, releases)], DELTA) == pytest.approx(accountant.get_epsilon(DELTA), abs=0.02)


def random_plan(seed: int) -> tuple[Study, PrivacyPlan]:
    chance = np.random.default_rng(seed)
    shares = chance.dirichlet([3, 3, 1]).round(3)
    shares[2] = round(1 - shares[0] - shares[1], 6)
    stages = ", ".join(
        f"{key} = {share}" for key, share in zip(("encoders", "fusion", "threshold"), shares, strict=True)
    )
    study = load_study(
        "lscc-staging",
        [
            f"privacy.epsilon={chance.uniform(0.2, 12):.4f}",
            f"privacy.delta={10 ** -chance.uniform(3, 7):.3e}",
            f"privacy.stages={{ {stages} }}",
            f"training.rounds={chance.integers(1, 60)}",
            f"training.steps={chance.integers(1, 10)}",
        ],
    )
    plan = plan_privacy(study)
    assert plan is not None
    return study, plan


@pytest.mark.parametrize("seed", range(20))
def test_a_plan_ends_within_a_hundredth_below_its_budget(seed: int) -> None:
    study, plan = random_plan(seed)
    spent = plan.planned_epsilon()
    assert 0.99 * plan.epsilon <= spent <= plan.epsilon
    training = study.training
    assert plan.stages["encoders"].releases == plan.stages["fusion"].releases == training.rounds * training.steps
    assert plan.stages["threshold"].releases == 1
    squares = {name: stage.releases / stage.noise_multiplier**2 for name, stage in plan.stages.items()}
    total = sum(squares.values())
    assert study.privacy.mechanism == "dp-sgd"
    for name, square in squares.items():
        assert square / total == pytest.approx(getattr(study.privacy.stages, name), rel=1e-9)


@pytest.mark.parametrize("name", ["lscc-staging", "uci-heart"])
def test_a_round_more_than_planned_would_pass_the_budget(name: str) -> None:
    plan = plan_privacy(load_study(name))
    assert plan is not None
    releases = [(stage.noise_multiplier, stage.releases) for stage in plan.stages.values()]
    first = plan.stages["encoders"]
    assert composed_epsilon([*releases, (first.noise_multiplier, first.steps)], plan.delta) > plan.epsilon


def test_no_mechanism_no_plan() -> None:
    assert plan_privacy(load_study("lscc-staging").without_privacy()) is None
