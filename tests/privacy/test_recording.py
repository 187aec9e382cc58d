"""A recording computes what its function does, for other weights and other patients, and refuses what it could not."""

import dataclasses

import pytest
import torch
from scipy.special import ndtri
from torch import Tensor

from client import gradients, training
from client.recording import record
from client.training import Round, train_round
from shared.batch import Batch
from shared.privacy.mechanism import plan_privacy
from shared.privacy.noise import _normal
from shared.study import Study
from shared.study_file import load_study
from tests.small import moved_model, random_batch

HELD = torch.tensor([1.0, 2.0, 3.0])


def tangled(weights: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Views, operations in place on what it made, a tensor of its own, and a part that nothing needs."""
    first, last = weights.split([3, 1])
    part = x * HELD
    part.add_(first).mul_(y)
    part[0] = last.exp()
    (part * 5).sum()
    return torch.cat([part.t().reshape(-1), torch.ones_like(first) * 7])


def values(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    chance = torch.Generator().manual_seed(seed)
    return torch.randn(4, generator=chance), *(torch.randn(2, 3, generator=chance) for _ in range(2))


def test_a_replay_is_the_function_of_other_weights_and_other_tensors() -> None:
    weights, x, y = values(0)
    recording = record(tangled, weights, [x, x])  # twice the same one: it may be two at a replay
    for seed in (1, 2):
        weights, x, y = values(seed)
        replay = recording.bound(weights, [x, y])
        for _ in range(3):
            torch.testing.assert_close(replay(), tangled(weights, x, y), rtol=0, atol=0)
            weights.add_(0.5)
        HELD.mul_(2)  # as weights that are not trained, when the next round brings others
        torch.testing.assert_close(recording.bound(weights, [x, y])(), tangled(weights, x, y), rtol=0, atol=0)
    assert not torch.equal(values(1)[0], weights)


def test_what_the_weights_have_no_part_in_is_kept_apart() -> None:
    recording = record(lambda w, x: w * x.exp().sum(), *values(0)[:1], [values(0)[1]])
    names = [str(node.target) for node in recording.then.__self__.graph.nodes if node.op == "call_function"]
    assert names == ["aten.mul.Tensor"]
    constant = record(lambda w, x: x * 2, values(0)[0], [values(0)[1]])
    replay = constant.bound(values(1)[0], [values(1)[1]])
    replay().zero_()  # as a clip does, in place
    torch.testing.assert_close(replay(), values(1)[1] * 2)


@pytest.mark.parametrize(
    "deciding",
    [
        lambda w, x: w * x.sum().item(),
        lambda w, x: w if x.sum() > 0 else -w,
        lambda w, x: w[w > 0].sum() + x,
        lambda w, x: w.nonzero() + x.sum(),
    ],
)
def test_a_function_that_decides_by_content_is_refused(deciding) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(TypeError, match=r"cannot be recorded"):
        record(deciding, torch.ones(3), [torch.ones(3)])


def round_of(study: Study, stage: str) -> Round:
    plan = plan_privacy(study)
    assert plan is not None
    quiet = dataclasses.replace(plan.stages[stage], noise_multiplier=0.0)  # type: ignore[index]
    return Round(study, stage, frozenset(study.models), 10.0, quiet)


def shifted(batch: Batch) -> Batch:
    return Batch(
        {name: value + 0.3 for name, value in batch.inputs.items()},
        {name: mask.roll(1) for name, mask in batch.present.items()},
        1 - batch.outcome,
    )


@pytest.mark.parametrize("stage", ["encoders", "fusion"])
def test_rounds_by_vmap_and_by_loop_agree(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over several steps, a second round with other patients and other frozen weights, nothing recorded anew."""
    study = load_study(
        "lscc-staging", ["training.steps=3", "training.learning_rate=0.3", 'fusion.kind="self-attention"']
    )
    models, task, batch = [moved_model(study) for _ in range(2)], round_of(study, stage), random_batch(study, 18)
    for number in range(2):
        for model, mode in zip(models, ("vmap", "loop"), strict=True):
            train_round(model, batch, task, mode)
            with torch.no_grad():
                model.heads["ct"].weight.add_(0.1)
                model.encoders["ct"].readout.weight.sub_(0.2)
        for own, other in zip(models[0].parameters(), models[1].parameters(), strict=True):
            torch.testing.assert_close(own, other, rtol=1e-4, atol=1e-5)
        batch = shifted(batch)
        if not number:
            monkeypatch.setattr(gradients, "record", None)


def test_another_study_of_the_same_model_is_recorded_for_itself() -> None:
    """The loss is the study's: what another one recorded of the model is not used."""
    study, batch = load_study("lscc-staging"), random_batch(load_study("lscc-staging"), 6)
    weighted = load_study("lscc-staging", ['training.loss={kind="weighted",prevalence=[0.9,0.1]}'])
    moves = []
    for each in (study, weighted):
        model = moved_model(study)
        if each is weighted:  # after the plain one, from the same start
            train_round(model, batch, round_of(study, "encoders"))
            with torch.no_grad():
                for value, start in zip(model.parameters(), moved_model(study).parameters(), strict=True):
                    value.copy_(start)
        train_round(model, batch, round_of(each, "encoders"))
        moves.append(torch.cat([value.detach().flatten() for value in model.parameters()]))
    assert not torch.equal(*moves)


def test_random_draws_share_recordings() -> None:
    study, model = load_study("uci-heart"), moved_model(load_study("uci-heart"))
    loss, inputs = training.stage_loss(model, random_batch(study, 80), round_of(study, "encoders"))
    vector = gradients.Vector.of({name: v for name, v in model.named_parameters() if not name.startswith("fusions.")})
    whole = dataclasses.replace(random_batch(study, 80), inputs=inputs)
    for count in range(57, 81):
        part = whole.pick(torch.arange(count))
        rows = loss.gradients(vector, part)
        assert len(rows) == count
        torch.testing.assert_close(rows, gradients._one_by_one(loss, vector, part), rtol=1e-4, atol=1e-6)
    assert len(gradients.recordings_of(model, study, "encoders")) <= 5


def test_normal_quantiles_are_scipys_to_the_last_digits() -> None:
    places = torch.linspace(0, 1, 1001, dtype=torch.float64)[1:-1].numpy()
    ends = torch.tensor([2.0**-53, 2.0**-40, 2.0**-30, 2.0**-13], dtype=torch.float64)
    tails = torch.cat([ends, 1 - ends]).numpy()
    for chosen in (places, tails):
        expected = torch.from_numpy(ndtri(chosen))
        torch.testing.assert_close(torch.from_numpy(_normal(chosen.copy())), expected, rtol=1e-9, atol=1e-14)


def test_noise_drawn_ahead_is_given_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, drawn = training.gaussian, []

    def kept(shape, deviation):  # type: ignore[no-untyped-def]
        drawn.append(whole(shape, deviation))
        return drawn[-1]

    monkeypatch.setattr(training, "gaussian", kept)
    study = load_study("uci-heart", ["training.steps=3"])
    plan = plan_privacy(study)
    assert plan is not None
    task = Round(study, "encoders", frozenset(study.models), 10.0, plan.stages["encoders"])
    optimizer = training.optimizer_of(torch.nn.Parameter(torch.zeros(5)), task)
    given = torch.stack([optimizer._noise(5).clone() for _ in range(7)])
    assert len(torch.unique(given)) == 35
    assert [values.shape for values in drawn] == [(3, 5)] * 3
    assert len(optimizer._noise(training.BLOCK)) == training.BLOCK
