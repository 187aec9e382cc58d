"""The noise is Gaussian, as large as declared, the same for every cohort size, and nobody can repeat it."""

import inspect
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import kstest

from client.training import Round, train_round
from shared.batch import Batch
from shared.metrics.threshold import CELLS
from shared.privacy.mechanism import StagePlan, plan_privacy
from shared.privacy.noise import _inside, gaussian
from shared.study import Study
from shared.study_file import load_study
from tests.small import agent_of, ask_tallies, hospital, moved_model, random_batch, small_study

CLIP, NOISE, DENOMINATOR = 0.7, 3.0, 50.0
STUDY = load_study("lscc-staging", ["training.steps=1", "training.learning_rate=0.5"])


def chi_square(values: np.ndarray, spread: float) -> float:
    """How far the mean square of normal values is from ``spread`` squared, in standard deviations."""
    count = values.size
    return float((np.sum((values / spread) ** 2) - count) / math.sqrt(2 * count))


def test_draws_are_standard_normal_and_independent() -> None:
    draws = gaussian((200, 1000), 2.5)
    assert draws.shape == (200, 1000)
    assert draws.dtype == np.float64
    assert kstest(draws.ravel() / 2.5, "norm").pvalue > 1e-6
    assert abs(draws.mean()) < 5 * 2.5 / math.sqrt(draws.size)
    assert abs(chi_square(draws, 2.5)) < 5
    flat = draws.ravel()
    assert abs(np.corrcoef(flat[:-1], flat[1:])[0, 1]) < 5 / math.sqrt(draws.size)
    assert len(np.unique(flat)) == flat.size


def test_a_draw_is_never_infinite() -> None:
    ends = _inside(np.array([0, 2**64 - 1, 2**63], dtype=np.uint64))
    assert 0 < ends[0] < ends[2] < ends[1] < 1
    assert ends[0] == 1 - ends[1]


def test_no_seed_can_be_given_and_none_is_read() -> None:
    assert list(inspect.signature(gaussian).parameters) == ["shape", "standard_deviation"]
    draws = []
    for _ in range(2):
        torch.manual_seed(1)
        np.random.seed(1)
        draws.append(gaussian((50,), 1.0))
    assert not np.any(draws[0] == draws[1])
    assert gaussian((), 1.0).shape == ()


def emptied(batch: Batch) -> Batch:
    return Batch(batch.inputs, {n: torch.zeros_like(m) for n, m in batch.present.items()}, batch.outcome)


def step(batch: Batch, stage: str = "encoders", study: Study = STUDY) -> np.ndarray:
    """What one noised step of known size does to the weights."""
    model = moved_model(study)
    before = torch.cat([value.detach().double().flatten() for value in model.parameters()])
    plan = StagePlan(stage, 1, 1, CLIP, NOISE)  # type: ignore[arg-type]
    torch.manual_seed(5)
    np.random.seed(5)
    assert train_round(model, batch, Round(study, stage, frozenset(study.models), DENOMINATOR, plan)) == 1
    after = torch.cat([value.detach().double().flatten() for value in model.parameters()])
    return (after - before)[after != before].numpy()


SPREAD = STUDY.training.learning_rate * NOISE * CLIP / DENOMINATOR


@pytest.mark.parametrize("stage", ["encoders", "fusion"])
def test_two_runs_differ_by_the_declared_noise(stage: str) -> None:
    batch = random_batch(STUDY, 6)
    steps = [step(batch, stage) for _ in range(60)]
    assert len({len(values) for values in steps}) == 1
    differences = np.concatenate([a - b for a, b in zip(steps[::2], steps[1::2], strict=True)])
    assert differences.size > 300
    assert abs(chi_square(differences, math.sqrt(2) * SPREAD)) < 5
    assert kstest(differences / SPREAD / math.sqrt(2), "norm").pvalue > 1e-6


@pytest.mark.parametrize("patients", [0, 1, 96, 97])
def test_the_noise_does_not_tell_how_many_patients_there_are(patients: int) -> None:
    batch = emptied(random_batch(STUDY, max(patients, 1))).pick(torch.arange(patients))
    assert len(batch) == patients
    noise = np.concatenate([step(batch) for _ in range(20)])
    assert noise.size > 500
    assert abs(chi_square(noise, SPREAD)) < 5


def test_without_privacy_a_step_is_repeated_to_the_last_bit() -> None:
    batch, updates = random_batch(STUDY, 6), []
    for _ in range(2):
        model = moved_model(STUDY)
        assert train_round(model, batch, Round(STUDY, "encoders", frozenset(STUDY.models), 6.0, None)) == 1
        updates.append(torch.cat([value.detach().flatten() for value in model.parameters()]))
    assert torch.equal(*updates)


def test_a_group_without_data_is_neither_trained_nor_noised() -> None:
    model, plan = moved_model(STUDY), plan_privacy(STUDY)
    assert plan is not None
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    task = Round(STUDY, "encoders", frozenset({"ct"}), 50.0, plan.stages["encoders"])
    train_round(model, random_batch(STUDY, 4), task)
    changed = {name.split(".")[1] for name, value in model.named_parameters() if not torch.equal(value, before[name])}
    assert changed == {"ct"}


def test_threshold_tallies_carry_the_declared_noise_for_each_model(tmp_path: Path) -> None:
    """Exact counts come from a study without privacy and the same weights, at a hospital that hides no small cell."""
    study = small_study(tmp_path)
    site, plan = hospital(tmp_path, open_to_all=True), plan_privacy(study)
    assert plan is not None
    open_site = site.model_copy(update={"limits": site.limits.model_copy(update={"min_cell": 1})})
    exact = agent_of(open_site).answer(ask_tallies(study.without_privacy())).arrays
    assert {model: counts.shape for model, counts in exact.items()} == dict.fromkeys(study.models, (2, CELLS))
    assert {counts.sum() for counts in exact.values()} == {30}  # also of patients who lack a model's modalities
    replies = []
    for number in range(20):  # each time another hospital's books: within one, the same release would come again
        books = open_site.model_copy(update={"state": tmp_path / str(number)})
        replies.append(agent_of(books).answer(ask_tallies(study)).arrays)
    for model, share in (("clinical+blood", 0.5), ("clinical", 0.25), ("blood", 0.25)):
        noise = np.stack([reply[model] - exact[model] for reply in replies])
        assert abs(chi_square(noise, plan.stages["threshold"].noise_multiplier / math.sqrt(share))) < 5
