"""Every fusion keeps the contract that missing modalities, per-patient gradients and the federation rely on."""

from typing import get_args

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from shared.batch import Batch
from shared.fusions import FUSIONS
from shared.fusions.base import Fusion
from shared.heads import Outputs
from shared.study import FusionChoice
from shared.study_file import load_study
from tests.small import moved_model, random_batch

WIDTHS = {"a": 3, "b": 3, "c": 3}
PATIENTS = 7
OUTPUTS = Outputs(2)
Tensors = dict[str, Tensor]


def built(name: str, widths: dict[str, int] = WIDTHS) -> Fusion:
    """A fusion moved off its start."""
    fusion, generator = FUSIONS[name](widths, OUTPUTS), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in fusion.parameters():
            weight.add_(torch.randn(weight.shape, generator=generator))
    return fusion


def patients(seed: int = 1) -> tuple[Tensors, Tensors]:
    """Embeddings and masks; the last patient has nothing, the first everything."""
    generator = torch.Generator().manual_seed(seed)
    embeddings = {name: torch.randn(PATIENTS, width, generator=generator) for name, width in WIDTHS.items()}
    present = {name: torch.rand(PATIENTS, generator=generator) < 0.6 for name in WIDTHS}
    for mask in present.values():
        mask[0], mask[-1] = True, False
    return embeddings, present


def heads() -> dict[str, nn.Linear]:
    generator, made = torch.Generator().manual_seed(5), {}
    for name, width in WIDTHS.items():
        made[name] = nn.Linear(width, OUTPUTS.count)
        with torch.no_grad():
            for weight in made[name].parameters():
                weight.copy_(torch.randn(weight.shape, generator=generator))
    return made


def test_the_registry_covers_exactly_what_a_study_may_name() -> None:
    assert set(get_args(FusionChoice.model_fields["kind"].annotation)) == set(FUSIONS)


@pytest.mark.parametrize("name", FUSIONS)
def test_one_finite_score_a_patient(name: str) -> None:
    score = built(name)(*patients())
    assert score.shape == (PATIENTS, OUTPUTS.count)
    assert score.isfinite().all()


@pytest.mark.parametrize("name", FUSIONS)
@pytest.mark.parametrize("junk", [0.0, 1e9, float("inf"), float("nan")])
def test_what_is_absent_does_not_matter_whatever_its_embedding_holds(name: str, junk: float) -> None:
    fusion, (embeddings, present) = built(name), patients()
    spoilt = {key: torch.where(present[key].unsqueeze(-1), value, junk) for key, value in embeddings.items()}
    assert torch.equal(fusion(spoilt, present), fusion(embeddings, present))

    def total(weights: Tensors, given: Tensors) -> Tensor:
        return functional_call(fusion, weights, (given, present)).tanh().sum()  # type: ignore[no-any-return]

    weights = {key: value.detach() for key, value in fusion.named_parameters()}
    clean, dirty = grad(total)(weights, embeddings), grad(total)(weights, spoilt)
    assert all(torch.equal(clean[key], dirty[key]) for key in weights)


@pytest.mark.parametrize("name", FUSIONS)
def test_what_is_present_matters(name: str) -> None:
    fusion, (embeddings, present) = built(name), patients()
    for key in WIDTHS:
        moved = {**embeddings, key: embeddings[key] + 1}
        changed = (fusion(moved, present) != fusion(embeddings, present)).any(-1)
        assert torch.equal(changed, present[key])


@pytest.mark.parametrize("name", FUSIONS)
def test_vmapped_gradients_equal_a_loop_over_patients(name: str) -> None:
    fusion, (embeddings, present) = built(name), patients()
    weights = {key: value.detach() for key, value in fusion.named_parameters()}

    def loss(at: Tensors, embedding: Tensors, mask: Tensors) -> Tensor:
        lifted = ({k: v.unsqueeze(0) for k, v in each.items()} for each in (embedding, mask))
        return functional_call(fusion, at, tuple(lifted)).tanh().sum()  # type: ignore[no-any-return]

    together = vmap(grad(loss), in_dims=(None, 0, 0))(weights, embeddings, present)
    for patient in range(PATIENTS):
        fusion.zero_grad()
        one = ({k: v[patient : patient + 1] for k, v in each.items()} for each in (embeddings, present))
        fusion(*one).tanh().sum().backward()
        for key, weight in fusion.named_parameters():
            assert weight.grad is not None
            torch.testing.assert_close(together[key][patient], weight.grad)


@pytest.mark.parametrize("name", FUSIONS)
def test_the_order_of_modalities_does_not_change_the_start(name: str) -> None:
    embeddings, present = patients()
    scores = []
    for order in (list(WIDTHS), list(reversed(WIDTHS))):
        fusion = FUSIONS[name]({key: WIDTHS[key] for key in order}, OUTPUTS)
        assert not fusion(embeddings, present).any()
        fusion.start_from(heads())
        scores.append(fusion({key: embeddings[key] for key in order}, present))
    assert scores[0].any()
    torch.testing.assert_close(scores[0], scores[1])


@pytest.mark.parametrize("name", sorted(set(FUSIONS) - {"mean"}))
def test_one_masked_fusion_scores_every_combination_as_if_the_rest_were_absent(name: str) -> None:
    study = load_study("lscc-staging", [f'fusion.kind="{name}"', "fusion.masked=true"])
    model, batch = moved_model(study), random_batch(study, 5)
    assert list(model.fusions) == [study.models[-1]]
    scores = model.scores(batch)
    assert set(scores) == set(study.models)
    lacking = {**batch.present, "ct": torch.zeros(5, dtype=torch.bool)}
    without = model.scores(Batch(batch.inputs, lacking, batch.outcome))
    torch.testing.assert_close(scores["clinical+laryngoscopy"], without["clinical+ct+laryngoscopy"])


def test_a_hospital_trains_the_fusions_that_it_has_the_modalities_of() -> None:
    apart, one = load_study("lscc-staging"), load_study("lscc-staging", ["fusion.masked=true"])
    held = {"clinical", "laryngoscopy"}
    assert apart.groups("fusion", held) == {"clinical+laryngoscopy"}
    assert one.groups("fusion", held) == {"clinical+ct+laryngoscopy"}
    assert one.groups("fusion", {"ct"}) == apart.groups("fusion", {"ct"}) == set()
    assert apart.groups("encoders", held) == held


def test_a_network_on_concatenated_embeddings_learns_what_no_sum_of_scores_can() -> None:
    """Whether two embeddings agree: no linear head tells it, hidden units do."""
    generator = torch.Generator().manual_seed(3)
    embeddings = {name: torch.randn(400, 1, generator=generator) for name in "ab"}
    truth = (embeddings["a"] * embeddings["b"] > 0).float()
    there = {name: torch.ones(400, dtype=torch.bool) for name in "ab"}
    right = {}
    for kind in ("concat", "mlp"):
        fusion = FUSIONS[kind](dict.fromkeys("ab", 1), Outputs(1))
        optimizer = torch.optim.Adam(fusion.parameters(), lr=0.05)
        for _ in range(200):
            optimizer.zero_grad()
            nn.functional.binary_cross_entropy_with_logits(fusion(embeddings, there), truth).backward()
            optimizer.step()
        right[kind] = float(((fusion(embeddings, there) > 0) == (truth > 0.5)).float().mean())
    assert right["concat"] < 0.6
    assert right["mlp"] > 0.9
