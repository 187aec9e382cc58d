"""Each patient's gradient is his own: vmap, loop and one backward pass a patient agree, in both stages."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from client.gradients import Vector, clip_patients, patient_gradients
from client.training import Round, clip_parts, gradient_mode, stage_loss
from shared.batch import Batch
from shared.errors import StudyError
from shared.model import MultimodalModel
from shared.parameters import in_stage
from shared.privacy.mechanism import plan_privacy
from shared.study import Study
from shared.study_file import load_study
from tests.small import agent_of, ask_round, hospital, moved_model, random_batch, small_study

STAGES = ["encoders", "fusion"]
PATIENTS = 6


@pytest.fixture(scope="module")
def study() -> Study:
    return load_study("lscc-staging")


@pytest.fixture(scope="module")
def batch(study: Study) -> Batch:
    return random_batch(study, PATIENTS)


def todo(study: Study, stage: str) -> Round:
    plan = plan_privacy(study)
    assert plan is not None
    return Round(study, stage, frozenset(study.models), 1.0, plan.stages[stage])  # type: ignore[index]


def gradients(study: Study, model: MultimodalModel, batch: Batch, stage: str, mode: str) -> dict[str, Tensor]:
    vector = Vector.of({name: value for name, value in model.named_parameters() if in_stage(name, stage)})
    loss, inputs = stage_loss(model, batch, todo(study, stage))
    found = patient_gradients(loss, vector, replace(batch, inputs=inputs), mode)
    return {
        name: torch.stack([vector.views(row)[name] for row in found]) if len(found) else found[:, :0]
        for name in vector.shapes
    }


def one_backward_pass(model: MultimodalModel, batch: Batch, stage: str, patient: int) -> dict[str, Tensor]:
    """An oracle of its own: the model's scores of one patient, one loss a model that can score him, autograd."""
    model.zero_grad()
    own = batch.pick(torch.tensor([patient]))
    total = torch.zeros(())
    for name, score in model.scores(own).items():
        known = any(bool(own.present[modality]) for modality in name.split("+"))
        if known and ("+" in name) == (stage == "fusion"):
            total = total + binary_cross_entropy_with_logits(score, own.outcome, reduction="sum")
    total.backward()
    chosen = {name: value for name, value in model.named_parameters() if in_stage(name, stage)}
    return {name: torch.zeros_like(v) if v.grad is None else v.grad.clone() for name, v in chosen.items()}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("mode", ["vmap", "loop"])
def test_every_way_gives_the_gradient_of_each_patient_alone(study: Study, batch: Batch, stage: str, mode: str) -> None:
    model = moved_model(study)
    found = gradients(study, model, batch, stage, mode)
    assert gradient_mode(study, stage) == "vmap"
    assert found
    for patient in range(PATIENTS):
        for name, expected in one_backward_pass(model, batch, stage, patient).items():
            torch.testing.assert_close(found[name][patient], expected, rtol=1e-3, atol=1e-6)
    assert all(values.any() for values in found.values())  # no group is left out


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("mode", ["vmap", "loop"])
def test_a_patient_with_a_nan_contributes_nothing_and_harms_nobody(
    study: Study, batch: Batch, stage: str, mode: str
) -> None:
    model = moved_model(study)
    inputs = {name: values.clone() for name, values in batch.inputs.items()}
    inputs["clinical"][0, 1] = float("nan")
    inputs["ct"][2] = float("inf")
    broken = Batch(inputs, {name: torch.ones_like(mask) for name, mask in batch.present.items()}, batch.outcome)
    whole = Batch(batch.inputs, broken.present, batch.outcome)
    found, expected = (gradients(study, model, each, stage, mode) for each in (broken, whole))
    for name, values in found.items():
        assert not values[[0, 2]].any()
        torch.testing.assert_close(values[[1, 3, 4, 5]], expected[name][[1, 3, 4, 5]])


@pytest.mark.parametrize("mode", ["vmap", "loop"])
def test_an_empty_draw_has_gradients_of_no_patients(study: Study, batch: Batch, mode: str) -> None:
    found = gradients(study, moved_model(study), batch.pick(torch.tensor([], dtype=torch.long)), "encoders", mode)
    assert all(len(values) == 0 for values in found.values())
    clip_patients(torch.zeros(0, 3), 1.0)


@pytest.mark.parametrize("clip", [1e-3, 0.1, 10.0])
def test_clipping_bounds_the_joint_norm_and_keeps_the_direction(study: Study, batch: Batch, clip: float) -> None:
    found = gradients(study, moved_model(study), batch, "encoders", "vmap")
    before = torch.cat([values.flatten(1) for values in found.values()], dim=1)
    after = before.clone()
    clip_patients(after, clip)
    expected = before.norm(dim=1).clamp(max=clip)
    torch.testing.assert_close(after.norm(dim=1), expected, rtol=2e-3, atol=1e-6)
    assert (after.norm(dim=1) <= clip * (1 + 1e-5)).all()
    torch.testing.assert_close(after / after.norm(dim=1, keepdim=True), before / before.norm(dim=1, keepdim=True))


def test_the_primary_has_its_share_of_the_squared_clip(study: Study) -> None:
    model, task = moved_model(study), todo(study, "fusion")
    names = [name for name, _ in model.named_parameters() if in_stage(name, "fusion")]
    parts = clip_parts(task, names)
    assert task.plan is not None
    assert sorted(name for own, _ in parts for name in own) == sorted(names)
    assert all(study.primary in name for name in parts[0][0])
    assert not any(f"fusions.{study.primary}." in name for name in parts[1][0])
    assert parts[0][1] == pytest.approx(study.fusion.clip_share**0.5 * task.plan.clip)
    assert sum(clip**2 for _, clip in parts) == pytest.approx(task.plan.clip**2)
    assert clip_parts(todo(study, "encoders"), names) == []


def test_units_of_a_patient_are_one_record(study: Study, batch: Batch) -> None:
    """The gradient of a patient is the mean over his units; with a NaN in one of them all of him counts nothing."""
    model, owner = moved_model(study), torch.tensor([0, 1, 0, 2, 1, 0])
    apart = gradients(study, model, batch, "encoders", "vmap")
    together = Batch(batch.inputs, batch.present, batch.outcome, owner)
    assert together.patients == 3
    for mode in ("vmap", "loop"):
        for name, values in gradients(study, model, together, "encoders", mode).items():
            expected = torch.stack([apart[name][owner == patient].mean(dim=0) for patient in range(3)])
            torch.testing.assert_close(values, expected, rtol=1e-3, atol=1e-6)
    broken = {name: values.clone() for name, values in batch.inputs.items()}
    broken["clinical"][2] = float("nan")
    found = gradients(study, model, Batch(broken, batch.present, batch.outcome, owner), "encoders", "vmap")
    assert all(not values[0].any() for values in found.values())
    assert all(values[2].any() for values in found.values() if values.any())


def test_picking_keeps_the_units_of_a_patient_together(batch: Batch) -> None:
    several = Batch(batch.inputs, batch.present, batch.outcome, torch.tensor([0, 1, 0, 2, 1, 0]))
    assert several.pick(several.owner != 1).owner.tolist() == [0, 0, 1, 0]
    assert Batch.joined([several, batch]).owner.tolist() == [0, 1, 0, 2, 1, 0, 3, 4, 5, 6, 7, 8]
    torch.testing.assert_close(several.per_patient(several.outcome), torch.tensor([[1 / 3], [0.5], [1.0]]))


@pytest.mark.parametrize("kind", ["concat", "cooperative", "self-attention"])
def test_a_joint_schedule_trains_every_parameter_from_every_model(kind: str, tmp_path: Path) -> None:
    """Each patient's gradient is autograd's of his own summed loss, of all models, through the encoders."""
    shares = "privacy.stages={encoders=0.9,fusion=0.0,threshold=0.1}"
    study = small_study(tmp_path, 'training.schedule="joint"', f'fusion.kind="{kind}"', shares)
    batch, model = random_batch(study, 4), moved_model(study)
    task = Round(study, "joint", study.groups("joint", study.modalities), 1.0, None)
    loss, inputs = stage_loss(model, batch, task)
    parameters = dict(model.named_parameters())
    vector = Vector.of(parameters)
    found = patient_gradients(loss, vector, Batch(inputs, batch.present, batch.outcome), "vmap")
    for patient in range(4):
        model.zero_grad()
        own = batch.pick(torch.tensor([patient]))
        total = model.penalty(model.embed(own.inputs), own.present)
        for name, score in model.scores(own).items():
            if any(bool(own.present[modality]) for modality in name.split("+")):
                total = total + binary_cross_entropy_with_logits(score, own.outcome, reduction="sum")
        total.backward()
        flat = [torch.zeros_like(v) if v.grad is None else v.grad for v in parameters.values()]
        expected = torch.cat([values.flatten() for values in flat])
        torch.testing.assert_close(found[patient], expected, rtol=1e-3, atol=1e-5)
    assert (found.abs().sum(dim=0) > 0).float().mean() > 0.9
    with pytest.raises(StudyError, match="a joint schedule has no stage of its own for fusions"):
        small_study(tmp_path, 'training.schedule="joint"')


def test_a_joint_round_is_probed_and_released(tmp_path: Path) -> None:
    shares = "privacy.stages={encoders=0.9,fusion=0.0,threshold=0.1}"
    study = small_study(tmp_path, 'training.schedule="joint"', shares)
    agent = agent_of(hospital(tmp_path))
    reply = agent.answer(ask_round(study, 1, "joint"))
    assert set(reply.arrays) == {name for name, _ in MultimodalModel(study).named_parameters()}
    assert plan_privacy(study).planned_epsilon() == pytest.approx(8.0, rel=0.01)  # type: ignore[union-attr]
