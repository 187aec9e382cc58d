"""Who a step reads: the law of Poisson samples, secret under privacy; large draws in parts; FedProx after the noise."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from client import probe, sampling, training
from client.probe import require_sound
from client.sampling import SAMPLINGS, Draw, Population, passes
from client.training import Round, train_round
from shared.errors import PrivacyRefusal, StudyError
from shared.parameters import in_stage
from shared.privacy.mechanism import plan_privacy
from shared.study import Study
from shared.study_file import load_study
from tests.privacy.test_probe import shaped
from tests.privacy.test_sensitivity import PATIENTS, clipped_sum, distance, emptied
from tests.small import agent_of, ask_round, hospital, ledger, moved_model, outbox, random_batch, small_study

POISSON = ('training.sampling="poisson"', "training.sample_rate=0.3")
SHUFFLED = ('training.sampling="shuffled"', "training.batch=4", 'privacy={mechanism="none"}')


@pytest.fixture(autouse=True)
def _forget():
    probe._probe.cache_clear()
    yield
    probe._probe.cache_clear()


def drawn(study: Study, people: int, seed: int | None, steps: int = 200) -> list[Draw]:
    many = study.training.model_copy(update={"steps": steps})
    chance = None if seed is None else np.random.default_rng(seed)
    return list(SAMPLINGS[many.sampling](many, Population(people, 50.0, chance)))


@pytest.mark.parametrize("seed", [None, 4])
def test_poisson_draws_everybody_alike_and_independently(seed: int | None) -> None:
    draws = drawn(load_study("lscc-staging", POISSON), 40, seed, 3000)
    counts = torch.stack([torch.bincount(draw.rows, minlength=40) for draw in draws]).double()
    assert counts.max() == 1
    assert (counts.mean(dim=0) - 0.3).abs().max() < 5 * math.sqrt(0.21 / 3000)
    assert float(counts.sum(dim=1).var()) == pytest.approx(40 * 0.21, rel=0.15), "the size is random, as it must be"
    together = (counts.T @ counts / 3000 - 0.09).fill_diagonal_(0)
    assert together.abs().max() < 6 * math.sqrt(0.09 * 0.91 / 3000)
    assert {draw.denominator for draw in draws} == {0.3 * 50.0}


def test_under_privacy_no_seed_repeats_a_draw_and_without_it_one_does() -> None:
    study = load_study("lscc-staging", POISSON)

    def rows(seed: int | None) -> list[list[int]]:
        return [draw.rows.tolist() for draw in drawn(study, 40, seed, 5)]

    assert rows(None) != rows(None)
    assert rows(7) == rows(7) != rows(8)


def test_shuffled_reads_each_patient_once_a_pass_and_divides_by_the_batch() -> None:
    draws = drawn(load_study("lscc-staging", SHUFFLED), 10, 1, 6)
    assert [len(draw.rows) for draw in draws] == [4, 4, 2, 4, 4, 2]
    assert [draw.denominator for draw in draws] == [4.0, 4.0, 2.0] * 2
    for place in (0, 3):
        assert sorted(torch.cat([draw.rows for draw in draws[place : place + 3]]).tolist()) == list(range(10))
    assert draws[0].rows.tolist() != draws[3].rows.tolist()


@pytest.mark.parametrize("stage", ["encoders", "fusion"])
def test_a_draw_in_parts_is_the_same_sum_and_one_release(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    study = load_study("lscc-staging", ["training.steps=1", "training.learning_rate=1.0"])
    batch = random_batch(study, 7)
    whole = clipped_sum(study, batch, stage, 0.05)
    monkeypatch.setattr(sampling, "PATIENTS", 3)
    assert [len(part) for part in passes(batch, Draw(torch.arange(7), 1.0), 10)] == [3, 3, 1]
    assert distance(clipped_sum(study, batch, stage, 0.05), whole) < 1e-5  # it also asserts one release


def test_memory_bounds_a_part_and_nobody_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = random_batch(load_study("uci-heart"), 1000)
    assert [len(part) for part in passes(batch, Draw(torch.arange(1000), 1.0), 10)] == [256, 256, 256, 232]
    assert [len(part) for part in passes(batch, Draw(torch.arange(9), 1.0), sampling.NUMBERS // 4)] == [4, 4, 1]
    assert [len(part) for part in passes(batch, Draw(torch.arange(2), 1.0), 2 * sampling.NUMBERS)] == [1, 1]
    assert [len(part) for part in passes(batch, Draw(torch.empty(0, dtype=torch.int64), 1.0), 10)] == [0]


def test_a_draw_of_nobody_is_a_noised_step_that_is_counted() -> None:
    study = load_study("lscc-staging", [*POISSON, "training.learning_rate=1.0", "training.momentum=0.0"])
    plan = plan_privacy(study)
    assert plan is not None
    stage = dataclasses.replace(plan.stages["encoders"], noise_multiplier=2.0, clip=0.5)
    model, batch = moved_model(study), random_batch(study, 5)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    nobody = [Draw(torch.empty(0, dtype=torch.int64), 10.0)]
    task = Round(study, "encoders", frozenset(study.models), 33.0, stage)
    assert train_round(model, batch, task, draws=nobody) == 1
    moved = torch.cat(
        [(v - before[n]).flatten() for n, v in model.named_parameters() if in_stage(n, "encoders")]
    ).detach()
    assert float(moved.std()) == pytest.approx(2.0 * 0.5 / 10.0, rel=0.25)


def test_a_round_of_poisson_samples_makes_its_releases_and_takes_different_patients() -> None:
    study = load_study("uci-heart", [*POISSON, "training.steps=4"])
    plan = plan_privacy(study)
    assert plan is not None
    quiet = dataclasses.replace(plan.stages["encoders"], noise_multiplier=0.0)
    ends = []
    for _ in range(2):
        model, task = moved_model(study), Round(study, "encoders", frozenset(study.models), 30.0, quiet)
        assert train_round(model, random_batch(study, 30), task) == 4
        ends.append(torch.cat([value.detach().flatten() for value in model.parameters()]))
    assert not torch.equal(*ends)


@pytest.mark.parametrize("clip", [0.01, 0.3])
def test_the_pull_to_the_rounds_start_leaves_the_sensitivity_alone(clip: float) -> None:
    """FedProx in the loss would add up to 100 clips to every patient's gradient; here it adds to none."""
    study = load_study("lscc-staging", ["training.steps=1", "training.learning_rate=1.0", "training.proximal=0.9"])
    batch = random_batch(study, PATIENTS)
    whole = clipped_sum(study, batch, "encoders", clip)
    moves = [distance(whole, clipped_sum(study, emptied(batch, who), "encoders", clip)) for who in range(PATIENTS)]
    assert max(moves) <= 0.1 * clip * (1 + 1e-3) + 1e-5  # a tenth: nine tenths of the step are pulled back
    if clip == 0.01:
        assert max(moves) > 0.1 * clip * 0.99


def test_the_pull_is_fedprox() -> None:
    """Two steps by hand: w <- w - lr (g + mu (w - start)), the pull applied to the weights that the step left."""
    settings = ["training.steps=3", "training.learning_rate=0.2", "training.momentum=0.0", 'privacy={mechanism="none"}']
    study = load_study("uci-heart", settings)
    pulled = load_study("uci-heart", [*settings, "training.proximal=0.5"])
    batch = random_batch(study, 12)

    def ended(study: Study, start: torch.nn.Module, steps: int) -> torch.nn.Module:
        only = study.model_copy(update={"training": study.training.model_copy(update={"steps": steps})})
        train_round(start, batch, Round(only, "encoders", frozenset(study.models), 12.0, None))  # type: ignore[arg-type]
        return start

    model, begun = moved_model(study), [value.detach().clone() for value in moved_model(study).parameters()]
    for _ in range(3):
        ended(study, model, 1)
        with torch.no_grad():
            for value, start in zip(model.parameters(), begun, strict=True):
                value.sub_(0.2 * 0.5 * (value - start))
    found = ended(pulled, moved_model(study), 3)
    for value, expected in zip(found.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(value, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("stage", ["encoders", "fusion"])
def test_the_self_test_passes_on_poisson_samples(stage: str) -> None:
    study = load_study("lscc-staging", POISSON)
    assert require_sound(study, stage, shaped(study)) is None  # type: ignore[arg-type,func-returns-value]


def seeded(training, population):
    yield from sampling.poisson(training, dataclasses.replace(population, chance=np.random.default_rng(1)))


def too_often(training, population):
    for draw in sampling.poisson(training.model_copy(update={"sample_rate": 1.1 * training.rate}), population):
        yield Draw(draw.rows, draw.denominator / 1.1)


def by_the_count(training, population):
    for draw in sampling.poisson(training, population):
        yield Draw(draw.rows, float(len(draw.rows)))


def twice(training, population):
    for draw in sampling.poisson(training, population):
        yield Draw(torch.cat([draw.rows, draw.rows[:1]]), draw.denominator)


def the_rate_only(training, population):
    for draw in sampling.poisson(training, population):
        yield Draw(draw.rows, draw.denominator * 1.1)


@pytest.mark.parametrize(
    ("breaking", "sentence"),
    [
        (seeded, "same patients are drawn again"),
        (too_often, "declared rate"),
        (by_the_count, "divided by depends"),
        (twice, "drawn twice"),
        (the_rate_only, "divided by"),
    ],
)
def test_what_breaks_the_sampling_is_refused(breaking, sentence, monkeypatch: pytest.MonkeyPatch) -> None:
    study = load_study("uci-heart", POISSON)
    monkeypatch.setitem(SAMPLINGS, "poisson", breaking)
    with pytest.raises(PrivacyRefusal, match=sentence):
        require_sound(study, "encoders", shaped(study))


def test_a_draw_of_nobody_without_noise_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = training.CryptographicOptimizer.add_noise

    def skipped(self):
        empty = not len(self.params[0].grad_sample)
        kept, self.noise_multiplier = self.noise_multiplier, 0.0 if empty else self.noise_multiplier
        whole(self)
        self.noise_multiplier = kept

    monkeypatch.setattr(training.CryptographicOptimizer, "add_noise", skipped)
    study = load_study("uci-heart", POISSON)
    with pytest.raises(PrivacyRefusal, match="there is no noise"):
        require_sound(study, "encoders", shaped(study))


def test_a_hospital_enters_the_rate_into_its_ledger_and_ends_below_the_budget(tmp_path) -> None:
    study = small_study(tmp_path, *POISSON)
    site = hospital(tmp_path)
    agent = agent_of(site)
    for stage in ("encoders", "fusion"):
        for number in (1, 2):
            reply = agent.answer(ask_round(study, number, stage))
            assert reply.header.kind == "trained", reply.header
    lines = ledger(site)
    assert [line["sample_rate"] for line in lines] == [0.3] * 4
    assert len(outbox(site)) == 4
    assert 0 < reply.header.epsilon < 8.0


@pytest.mark.parametrize(
    ("overrides", "place"),
    [
        (['training.sampling="poisson"'], "training.sample_rate"),
        (["training.sample_rate=0.1"], "training.sample_rate"),
        (['training.sampling="shuffled"', "training.batch=4"], "training.sampling"),
        (['training.sampling="shuffled"', 'privacy={mechanism="none"}'], "training.batch"),
        (["training.batch=4"], "training.batch"),
        (["training.proximal=9.0"], "training.proximal"),
        (["training.sample_rate=1.0", 'training.sampling="poisson"'], "training.sample_rate"),
    ],
)
def test_what_does_not_fit_together_is_told(overrides: list[str], place: str) -> None:
    with pytest.raises(StudyError) as caught:
        load_study("uci-heart", overrides)
    assert place in {problem.place for problem in caught.value.problems}
