"""Laws of composition: what is spent does not depend on the order, and only ever grows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.privacy.accounting import composed_epsilon, gaussian_delta, gaussian_epsilon, gaussian_mu, spent_epsilon
from shared.privacy.records import RunKey, Spend, spent

RELEASES = st.lists(st.tuples(st.floats(0.3, 50), st.integers(1, 60)), min_size=1, max_size=12)
DELTA = st.sampled_from([1e-3, 1e-4, 1e-6])
Releases = list[tuple[float, int]]


def line(noise: float, steps: int, number: int) -> Spend:
    run = RunKey(study="0" * 64, fold="main", arm="federated")
    common = {"time": "2026-01-01T00:00:00+00:00", "study_name": "s", "stage": "encoders", "digest": "", "question": ""}
    return Spend.model_validate(
        {**common, "run": run, "round": number, "noise_multiplier": noise, "steps": steps, "delta": 1e-4, "budget": 8.0}
    )


@given(releases=RELEASES, delta=DELTA, chance=st.randoms(use_true_random=False))
def test_the_order_of_releases_does_not_matter(releases: Releases, delta: float, chance: object) -> None:
    shuffled = list(releases)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert spent_epsilon(shuffled, delta) == spent_epsilon(releases, delta)
    lines = [line(noise, steps, number) for number, (noise, steps) in enumerate(releases)]
    assert spent(lines[::-1], delta) == spent(lines, delta) == spent_epsilon(releases, delta)


@given(releases=RELEASES, delta=DELTA)
def test_steps_of_one_round_count_as_so_many_releases(releases: Releases, delta: float) -> None:
    singles = [(noise, 1) for noise, steps in releases for _ in range(steps)]
    assert spent_epsilon(singles, delta) == pytest.approx(spent_epsilon(releases, delta), rel=1e-9, abs=1e-9)


@given(releases=RELEASES, delta=DELTA, more=st.tuples(st.floats(0.3, 5), st.integers(1, 60)))
def test_one_more_release_costs_more(releases: Releases, delta: float, more: tuple[float, int]) -> None:
    assert spent_epsilon([*releases, more], delta) > spent_epsilon(releases, delta)


@settings(max_examples=15, deadline=None)
@given(releases=RELEASES, delta=DELTA)
def test_the_reported_figure_is_never_below_the_exact_one(releases: Releases, delta: float) -> None:
    light = [(noise + 10, steps) for noise, steps in releases]
    exact = spent_epsilon(light, delta)
    assert exact <= composed_epsilon(light, delta) <= exact * 1.01 + 1e-3


@given(epsilon=st.floats(0.05, 50), delta=DELTA)
def test_epsilon_delta_and_mu_are_inverse_to_each_other(epsilon: float, delta: float) -> None:
    mu = gaussian_mu(epsilon, delta)
    assert gaussian_epsilon(mu, delta) == pytest.approx(epsilon, rel=1e-6)
    assert gaussian_delta(mu, epsilon) == pytest.approx(delta, rel=1e-6)


def test_nothing_released_is_nothing_spent() -> None:
    assert spent_epsilon([], 1e-4) == composed_epsilon([], 1e-4) == 0
