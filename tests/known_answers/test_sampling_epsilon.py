"""Epsilon of Poisson samples: two accountants that others wrote agree, and plans keep to their budget."""

import numpy as np
import pytest

from shared.privacy.accounting import Release, detection, gathered, spent_epsilon
from shared.privacy.calibration import Part, multipliers
from shared.privacy.mechanism import PrivacyPlan, plan_privacy
from shared.privacy.records import RunKey, Spend, spent
from shared.privacy.sampled import pld_epsilon, prv_epsilon
from shared.study import Study
from shared.study_file import load_study


def random_plan(seed: int) -> tuple[Study, PrivacyPlan]:
    chance = np.random.default_rng(seed)
    shares = chance.dirichlet([3, 3, 1]).round(3)
    study = load_study(
        "lscc-staging",
        [
            f"privacy.epsilon={chance.uniform(0.3, 12):.4f}",
            f"privacy.delta={10 ** -chance.uniform(3, 6):.3e}",
            f"privacy.stages={{encoders={shares[0]}, fusion={shares[1]}, "
            f"threshold={round(1 - shares[0] - shares[1], 6)}}}",
            f"training.rounds={chance.integers(1, 60)}",
            f"training.steps={chance.integers(1, 10)}",
            'training.sampling="poisson"',
            f"training.sample_rate={10 ** -chance.uniform(0.1, 2):.4f}",
        ],
    )
    plan = plan_privacy(study)
    assert plan is not None
    return study, plan


SEEDS = [pytest.param(seed, marks=[pytest.mark.slow] * (seed >= 6)) for seed in range(20)]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sampled_plan_uses_its_budget_and_no_more(seed: int) -> None:
    study, plan = random_plan(seed)
    releases = [stage.whole for stage in plan.stages.values()]
    full, sampled = gathered(releases)
    assert sampled
    assert full > 0  # the threshold's tallies are of everybody
    pld, prv = pld_epsilon(full, sampled, plan.delta), prv_epsilon(full, sampled, plan.delta)
    assert abs(pld - prv) <= 0.01 * pld + 0.02
    assert spent_epsilon(releases, plan.delta) == max(pld, prv)
    assert 0.99 * plan.epsilon <= plan.planned_epsilon() <= plan.epsilon
    assert {stage.sample_rate for stage in plan.stages.values()} == {study.training.rate, 1.0}
    stage = plan.stages["encoders" if seed % 2 else "fusion"]
    one_more_round = [*releases, Release(stage.noise_multiplier, stage.steps, stage.sample_rate)]
    assert spent_epsilon(one_more_round, plan.delta) > plan.epsilon


@pytest.mark.parametrize(
    ("rate", "steps", "noise", "pld"), [(0.16, 312, 2.0, 6.4011), (0.136, 367, 2.0, 5.8002), (0.064, 781, 1.0, 11.1752)]
)
def test_known_values_at_a_finer_grid(rate: float, steps: int, noise: float, pld: float) -> None:
    """dp-accounting's accountant at its own, five times finer, discretisation; delta 1e-4."""
    assert pld_epsilon(0.0, ((noise, rate, steps),), 1e-4) == pytest.approx(pld, rel=2e-4)


def test_samples_and_full_batches_of_all_studies_are_one_composition() -> None:
    sampled, everybody = Release(1.5, 30, 0.05), Release(6.0, 4)
    together = spent_epsilon([sampled, everybody], 1e-4)
    assert together == spent_epsilon([everybody, *[Release(1.5, 3, 0.05)] * 10], 1e-4)
    assert max(spent_epsilon([one], 1e-4) for one in (sampled, everybody)) < together
    assert together < spent_epsilon([sampled], 1e-4) + spent_epsilon([everybody], 1e-4) + 0.02
    assert spent_epsilon([Release(1.5, 30)], 1e-4) > 5 * spent_epsilon([sampled], 1e-4)


def test_a_line_of_before_there_was_sampling_is_of_everybody() -> None:
    old = {
        "time": "2026-01-01T00:00:00+00:00", "study_name": "s", "stage": "encoders", "round": 1, "digest": "",
        "run": RunKey(study="0" * 64, fold="main", arm="federated"), "question": "",
        "noise_multiplier": 4.0, "steps": 3, "delta": 1e-4, "budget": 8.0,
    }  # fmt: skip
    line = Spend.model_validate(old)
    assert line.sample_rate == 1.0
    assert spent([line], 1e-4) == spent_epsilon([(4.0, 3)], 1e-4)
    sampled = Spend.model_validate({**old, "sample_rate": 0.1})
    assert spent([line, sampled], 1e-4) < spent([line, line], 1e-4)


def test_what_a_test_can_find_lies_between_chance_and_everybody_read() -> None:
    everybody, tenth = detection([Release(4.0, 40)], 0.05), detection([Release(4.0, 40, 0.1)], 0.05)
    assert 0.05 < tenth < everybody < 1
    nearly = detection([Release(4.0, 40, 0.9999)], 0.05)
    assert nearly == pytest.approx(everybody, rel=1e-2), "as the rate goes to one, so does the bound"


def test_noise_falls_with_the_rate_and_with_the_budget() -> None:
    def noise(epsilon: float, rate: float) -> float:
        return multipliers((Part(1.0, 50, rate),), epsilon, 1e-4)[0]

    assert noise(2.0, 0.02) < noise(2.0, 0.2) < noise(2.0, 1.0)
    assert noise(4.0, 0.2) < noise(2.0, 0.2)
