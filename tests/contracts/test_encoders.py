"""Every encoder keeps the contract that per-patient gradients and the federation rely on."""

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from shared.encoders import ENCODERS, Entry
from shared.encoders.base import Encoder
from shared.modalities import Modality
from shared.modalities.bag import Bag
from shared.modalities.tabular import Categorical, Numeric, Tabular
from shared.modalities.volume import Volume

CASES = [(kind, name) for kind, encoders in ENCODERS.items() for name in encoders]
PATIENTS = 3


def _modality(kind: str, name: str, width: int = 1) -> Modality:
    if kind == "tabular":
        columns = {"numeric": {"age": Numeric(range=(18, 100))}, "categorical": {"sex": Categorical(values=("f", "m"))}}
        return Tabular.model_validate({"kind": kind, "encoder": name, "width": width, **columns})
    if kind == "volume":
        return Volume.model_validate({
            "kind": kind, "encoder": name, "width": width, "path": "ct",
            "spacing": (2.0, 2.0, 3.0), "shape": (16, 16, 12), "window": (-160.0, 240.0),
        })  # fmt: skip
    return Bag.model_validate({
        "kind": kind, "encoder": name, "width": width, "path": "p/{patient}/*.png", "items": 4, "shape": (3, 24, 24),
    })  # fmt: skip


def _patients(modality: Modality, seed: int = 1) -> Tensor:
    """Raw tensors in [0, 1]; a bag's last two items are absent."""
    raw = torch.rand(PATIENTS, *modality.shape, generator=torch.Generator().manual_seed(seed))
    if modality.kind == "bag":
        raw[:, 2:] = 0
    return raw


def _built(entry: Entry, modality: Modality, seed: int = 0) -> Encoder:
    """An encoder moved off its start, so that weights that begin at zero take part."""
    encoder = entry.build(modality, torch.Generator().manual_seed(seed))
    generator = torch.Generator().manual_seed(99)
    with torch.no_grad():
        for weight in encoder.parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=generator))
    return encoder


def _prepared(encoder: Encoder, raw: Tensor) -> Tensor:
    return torch.stack([encoder.prepare(patient) for patient in raw])


def test_the_registry_covers_exactly_what_a_study_may_name() -> None:
    for kind, section in (("tabular", Tabular), ("volume", Volume), ("bag", Bag)):
        allowed = section.model_fields["encoder"].annotation
        assert set(allowed.__args__) == set(ENCODERS[kind])  # type: ignore[union-attr]


@pytest.mark.parametrize(("kind", "name"), CASES)
@pytest.mark.parametrize("width", [1, 3])
def test_output_is_patients_by_width_and_finite(kind: str, name: str, width: int) -> None:
    modality = _modality(kind, name, width)
    encoder = _built(ENCODERS[kind][name], modality)
    x = _prepared(encoder, _patients(modality))
    assert encoder.width == width
    assert encoder(x).shape == (PATIENTS, width)
    assert encoder(x).isfinite().all()
    assert torch.equal(x, _prepared(encoder, _patients(modality)))


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_vmapped_gradients_equal_a_loop_over_patients(kind: str, name: str) -> None:
    modality = _modality(kind, name, 2)
    encoder = _built(ENCODERS[kind][name], modality)
    x = _prepared(encoder, _patients(modality))
    weights = {key: value.detach() for key, value in encoder.named_parameters()}

    def loss(at: dict[str, Tensor], patient: Tensor) -> Tensor:
        output: Tensor = functional_call(encoder, at, (patient.unsqueeze(0),))
        return output.tanh().sum()

    together = vmap(grad(loss), in_dims=(None, 0))(weights, x)
    for index, patient in enumerate(x):
        encoder.zero_grad()
        encoder(patient.unsqueeze(0)).tanh().sum().backward()
        for key, weight in encoder.named_parameters():
            assert weight.grad is not None
            torch.testing.assert_close(together[key][index], weight.grad, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_a_patient_does_not_depend_on_the_others(kind: str, name: str) -> None:
    modality = _modality(kind, name, 2)
    encoder = _built(ENCODERS[kind][name], modality)
    x = _prepared(encoder, _patients(modality))
    order = torch.tensor([2, 0, 1])
    torch.testing.assert_close(encoder(x[order]), encoder(x)[order], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(encoder(x[:1]), encoder(x)[:1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", list(ENCODERS["bag"]))
def test_absent_pictures_and_their_order_have_no_influence(name: str) -> None:
    few, many = _modality("bag", name, 2), _modality("bag", name, 2).model_copy(update={"items": 6})
    encoder = _built(ENCODERS["bag"][name], few)
    raw = _patients(few)
    wider = torch.zeros(PATIENTS, *many.shape)
    wider[:, [4, 1]] = raw[:, :2]
    torch.testing.assert_close(
        encoder(_prepared(encoder, wider)), encoder(_prepared(encoder, raw)), rtol=1e-4, atol=1e-5
    )
    assert encoder(_prepared(encoder, torch.zeros_like(raw))).isfinite().all()


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_nothing_mixes_patients_or_works_in_place(kind: str, name: str) -> None:
    encoder = _built(ENCODERS[kind][name], _modality(kind, name))
    for module in encoder.modules():
        assert not isinstance(module, (nn.modules.batchnorm._BatchNorm, nn.Dropout))
        assert not getattr(module, "inplace", False)
    assert not list(encoder.buffers())


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_initial_weights_come_from_the_generator_alone(kind: str, name: str) -> None:
    modality, entry = _modality(kind, name, 2), ENCODERS[kind][name]
    before = torch.get_rng_state()
    one, same, other = (entry.build(modality, torch.Generator().manual_seed(seed)) for seed in (5, 5, 6))
    assert torch.equal(before, torch.get_rng_state())
    for left, right in zip(one.parameters(), same.parameters(), strict=True):
        assert torch.equal(left, right)
    assert any(not torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    other.load_state_dict(one.state_dict())
    x = _prepared(one, _patients(modality))
    assert torch.equal(one(x), other(x))


@pytest.mark.parametrize(
    ("kind", "name"), [("tabular", "linear"), ("volume", "filters"), ("bag", "filters"), ("bag", "attention-mil")]
)
def test_encoders_on_fixed_features_start_at_a_score_of_zero(kind: str, name: str) -> None:
    modality = _modality(kind, name)
    encoder = ENCODERS[kind][name].build(modality, torch.Generator().manual_seed(0))
    assert not encoder(_prepared(encoder, _patients(modality))).any()
    wide = _modality(kind, name, 2)
    encoder = ENCODERS[kind][name].build(wide, torch.Generator().manual_seed(0))
    assert encoder(_prepared(encoder, _patients(wide))).any()


def test_fixed_features_are_bounded_whatever_the_picture() -> None:
    volume, bag = _modality("volume", "filters"), _modality("bag", "filters")
    for value in (0.0, 0.5, 1.0):
        front = ENCODERS["volume"]["filters"].build(volume, torch.Generator())
        assert front.prepare(torch.full(volume.shape, value)).abs().max() <= 3
        front = ENCODERS["bag"]["filters"].build(bag, torch.Generator())
        assert front.prepare(torch.full(bag.shape, value)).abs().max() <= 3
