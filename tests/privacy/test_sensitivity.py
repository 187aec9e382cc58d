"""Without noise, emptying one patient's record moves the clipped sum by the clip at most; decay comes after it all."""

import dataclasses

import pytest
import torch

from client.evaluation import threshold_tallies
from client.training import Round, train_round
from shared.batch import Batch
from shared.parameters import group_of, in_stage
from shared.privacy.mechanism import plan_privacy
from shared.study import Study
from shared.study_file import load_study
from tests.small import moved_model, random_batch

PATIENTS = 6
STAGES = ["encoders", "fusion"]
OVERRIDES = ("training.steps=1", "training.learning_rate=1.0")


def emptied(batch: Batch, patient: int) -> Batch:
    """The same number of patients, one with nothing present."""
    present = {name: mask.clone() for name, mask in batch.present.items()}
    for mask in present.values():
        mask[patient] = False
    return Batch(batch.inputs, present, batch.outcome)


def clipped_sum(study: Study, batch: Batch, stage: str, clip: float) -> dict[str, torch.Tensor]:
    """What one step without noise, at learning rate and denominator one, takes from the weights."""
    plan, model = plan_privacy(study), moved_model(study)
    assert plan is not None
    exact = dataclasses.replace(plan.stages[stage], noise_multiplier=0.0, clip=clip)  # type: ignore[index]
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    assert train_round(model, batch, Round(study, stage, frozenset(study.models), 1.0, exact)) == 1
    after = dict(model.named_parameters())
    assert all(torch.equal(before[name], after[name]) for name in before if not in_stage(name, stage))
    return {name: before[name] - after[name].detach() for name in before if in_stage(name, stage)}


def distance(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> float:
    return float(torch.cat([(a[name] - b[name]).flatten() for name in a]).norm())


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("clip", [0.01, 0.3, 3.0, 100.0])
def test_one_patient_moves_the_sum_by_the_clip_at_most(stage: str, clip: float) -> None:
    study = load_study("lscc-staging", OVERRIDES)
    batch = random_batch(study, PATIENTS)
    whole = clipped_sum(study, batch, stage, clip)
    moves = [distance(whole, clipped_sum(study, emptied(batch, patient), stage, clip)) for patient in range(PATIENTS)]
    assert max(moves) <= clip * (1 + 1e-3) + 1e-5
    if clip == 0.01:
        assert min(moves) > clip * 0.6  # all are clipped: the bound is reached, so nothing else is lost
        assert stage == "fusion" or max(moves) > clip * 0.99
    if clip == 100.0:
        assert max(moves) < 50  # none is clipped


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e30])
def test_not_even_a_broken_patient_moves_it_further(value: float) -> None:
    study = load_study("lscc-staging", OVERRIDES)
    batch = random_batch(study, PATIENTS)
    batch.inputs["clinical"][0] = value
    whole = clipped_sum(study, batch, "encoders", 0.3)
    assert all(values.isfinite().all() for values in whole.values())
    assert distance(whole, clipped_sum(study, emptied(batch, 0), "encoders", 0.3)) <= 0.3 * (1 + 1e-3) + 1e-5


def test_parts_of_the_clip_hold_for_the_primary_and_its_siblings() -> None:
    study = load_study("lscc-staging", [*OVERRIDES, "fusion.clip_share=0.9"])
    batch, clip = random_batch(study, PATIENTS), 0.01
    whole = clipped_sum(study, batch, "fusion", clip)
    for patient in range(PATIENTS):
        rest = clipped_sum(study, emptied(batch, patient), "fusion", clip)
        for own, share in ((True, 0.9), (False, 0.1)):
            part = {name: whole[name] for name in whole if (group_of(name) == study.primary) == own}
            assert distance(part, rest) == pytest.approx(clip * share**0.5, rel=2e-2)


@pytest.mark.parametrize("stage", STAGES)
def test_weight_decay_comes_after_the_noise_and_spares_biases(stage: str) -> None:
    plain = load_study("lscc-staging", [*OVERRIDES, "training.weight_decay=0.25"])
    batch = random_batch(plain, PATIENTS)
    model = moved_model(plain)
    start = {name: value.detach().clone() for name, value in model.named_parameters() if in_stage(name, stage)}
    undecayed = clipped_sum(load_study("lscc-staging", OVERRIDES), batch, stage, 0.3)
    decayed = clipped_sum(plain, batch, stage, 0.3)
    for name, weight in start.items():
        expected = (weight - undecayed[name]) * (1.0 if name.endswith("bias") else 0.75)
        torch.testing.assert_close(weight - decayed[name], expected, rtol=1e-4, atol=1e-6)


def test_one_patient_moves_one_cell_of_each_tally_by_one() -> None:
    """With the noise of each model scaled by its share, squares adding up to one, their joint sensitivity is one."""
    study = load_study("lscc-staging")
    batch, model = random_batch(study, 20), moved_model(study)
    whole = threshold_tallies(model, batch)
    assert set(whole) == set(study.models)
    for patient in range(len(batch)):
        rest = threshold_tallies(model, emptied(batch, patient))
        for name, counts in whole.items():
            moved = sorted((counts - rest[name]).ravel())
            assert moved == [*[0] * (len(moved) - 1), 1]  # also in a model none of whose modalities he has
            assert counts.sum() == len(batch)
