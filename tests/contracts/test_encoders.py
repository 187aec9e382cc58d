"""Every encoder keeps the contract that per-patient gradients and the federation rely on."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from shared.encoders import ENCODERS
from shared.encoders.base import FixedFeatures
from shared.wire import Envelope, Trained
from tests.encoder_samples import CASES, PATIENTS, SECTIONS, built, named, prepared, raw, section

each = pytest.mark.parametrize("case", CASES, ids=named)
ON_FIXED_FEATURES = [
    (kind, name, options)
    for kind, name, options in CASES
    if (isinstance(made := ENCODERS[kind][name].kind, type) and issubclass(made, FixedFeatures))
    or options.get("tuning") == "frozen"
]
FULL: dict[str, dict[str, Any]] = {  # the sample's patients without any room left, and in longer sequences
    "bag": {"items": 2},
    "text": {"tokens": 8},
    "concepts": {"items": 6},
    "bytes": {"length": 48},
    "grid": {"frames": 3},
}
ROOM: dict[str, dict[str, Any]] = {
    "bag": {"items": 6},
    "text": {"length": 200, "tokens": 20},
    "concepts": {"items": 12},
    "bytes": {"length": 96},
    "grid": {"frames": 6},
}


@pytest.mark.parametrize("kind", SECTIONS)
def test_the_registry_covers_exactly_what_a_study_may_name(kind: str) -> None:
    allowed = SECTIONS[kind][0].model_fields["encoder"].annotation
    assert set(allowed.__args__) == set(ENCODERS[kind])
    assert set(SECTIONS) == set(ENCODERS)


@each
@pytest.mark.parametrize("width", [1, 3])
def test_output_is_patients_by_width_and_finite(case: tuple[str, str, dict[str, Any]], width: int) -> None:
    kind, name, options = case
    spec, encoder = built(kind, name, width, options)
    x = prepared(encoder, raw(spec))
    assert x.dtype == torch.float32
    assert encoder.width == width
    assert encoder(x).shape == (PATIENTS, width)
    assert encoder(x).isfinite().all()
    assert torch.equal(x, prepared(encoder, raw(spec)))
    assert encoder.weights == spec.model_dump().get("weights")


@each
def test_patients_with_nothing_and_with_the_most_have_finite_embeddings(case: tuple[str, str, dict[str, Any]]) -> None:
    kind, name, options = case
    spec, encoder = built(kind, name, 2, options)
    extremes = torch.stack([torch.zeros(spec.shape), torch.ones(spec.shape)])
    assert encoder(prepared(encoder, extremes)).isfinite().all()


@each
def test_per_patient_gradients_equal_a_loop_over_patients(case: tuple[str, str, dict[str, Any]]) -> None:
    """Of vmap each patient's own; of a loop the sum, which shows that a batch mixes nobody."""
    kind, name, options = case
    spec, encoder = built(kind, name, 2, options)
    x = prepared(encoder, raw(spec))
    if options.get("network") == "densenet121":  # too deep for a comparison of sums in single precision
        encoder, x = encoder.double(), x.double()
    weights = {key: value.detach() for key, value in encoder.named_parameters()}

    def loss(at: dict[str, Tensor], patients: Tensor) -> Tensor:
        output: Tensor = functional_call(encoder, at, (patients,))
        return output.tanh().sum()

    def backward(patients: Tensor) -> dict[str, Tensor]:
        own = {key: value.detach().requires_grad_() for key, value in weights.items()}
        return dict(zip(own, torch.autograd.grad(loss(own, patients), list(own.values())), strict=True))

    alone = [backward(patient.unsqueeze(0)) for patient in x]
    if ENCODERS[kind][name].mode(spec) == "vmap":
        together = vmap(grad(lambda at, patient: loss(at, patient.unsqueeze(0))), in_dims=(None, 0))(weights, x)
        pairs = [(together[key][place], alone[place][key]) for place in range(PATIENTS) for key in weights]
    else:
        whole = backward(x)
        pairs = [(whole[key], torch.stack([one[key] for one in alone]).sum(0)) for key in weights]
    assert all(any(one[key].any() for one in alone) for key in weights)  # every weight takes part
    largest = max(float(expected.abs().max()) for _, expected in pairs)
    for found, expected in pairs:
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4 * largest)


@each
def test_a_patient_does_not_depend_on_the_others(case: tuple[str, str, dict[str, Any]]) -> None:
    kind, name, options = case
    spec, encoder = built(kind, name, 2, options)
    x = prepared(encoder, raw(spec))
    order = torch.tensor([2, 0, 1])
    torch.testing.assert_close(encoder(x[order]), encoder(x)[order], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(encoder(x[:1]), encoder(x)[:1], rtol=1e-4, atol=1e-5)


@each
def test_nothing_mixes_patients_or_works_in_place(case: tuple[str, str, dict[str, Any]]) -> None:
    kind, name, options = case
    _, encoder = built(kind, name, 1, options)
    for module in encoder.modules():
        assert not isinstance(module, (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd))
        assert not getattr(module, "inplace", False)
    assert not list(encoder.buffers())


@each
def test_initial_weights_come_from_the_generator_alone(case: tuple[str, str, dict[str, Any]]) -> None:
    kind, name, options = case
    spec, entry = section(kind, name, 2, **options), ENCODERS[kind][name]
    before = torch.get_rng_state()
    one, same, other = (entry.build(spec, torch.Generator().manual_seed(seed)) for seed in (5, 5, 6))
    for encoder in (one, other):
        encoder.stand_in()
    assert torch.equal(before, torch.get_rng_state())
    for left, right in zip(one.parameters(), same.parameters(), strict=True):
        assert torch.equal(left, right)  # and none is NaN: every weight was drawn
    assert any(not torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert entry.trained(spec) == sum(value.numel() for value in one.parameters())
    other.load_state_dict(_through_the_wire(one))
    x = prepared(one, raw(spec))
    assert torch.equal(one(x), other(x))


def _through_the_wire(encoder: nn.Module) -> dict[str, Tensor]:
    arrays = {name: value.numpy() for name, value in encoder.state_dict().items()}
    sent = Envelope(Trained(stage="encoders", round=1, epsilon=None, releases=0), arrays).to_record()
    return {name: torch.from_numpy(values.copy()) for name, values in Envelope.from_record(sent).arrays.items()}


@pytest.mark.parametrize("case", [case for case in CASES if case[0] in ROOM], ids=named)
def test_what_is_padded_or_absent_has_no_influence(case: tuple[str, str, dict[str, Any]]) -> None:
    kind, name, options = case
    marks = {"tokens": 10} if name == "bert" else {}  # the begin and the end of its text
    full, encoder = built(kind, name, 2, {**options, **FULL[kind], **marks})
    wide, wider = built(kind, name, 2, {**options, **ROOM[kind]})
    wider.load_state_dict(encoder.state_dict())
    patients = raw(section(kind, name, **options))
    patients = patients[:, -full.shape[0] :] if kind == "grid" else patients[:, : full.shape[0]]
    padded = torch.zeros(PATIENTS, *wide.shape, dtype=patients.dtype)
    if kind == "bag":
        padded[:, [4, 1]] = patients  # nor has the order
    elif kind == "grid":
        padded[:, -full.frames :] = patients
    else:
        padded[:, : full.shape[0]] = patients
    found, expected = wider(prepared(wider, padded)), encoder(prepared(encoder, patients))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ENCODERS["series"])
def test_values_of_what_was_not_observed_have_no_influence(name: str) -> None:
    spec, encoder = built("series", name, 2, {})
    patients = raw(spec)
    other = torch.where(patients[..., 3:] > 0, patients, torch.tensor([0.7, -0.9, 0.8, 0.0]))
    assert not torch.equal(other, patients)
    assert torch.equal(encoder(prepared(encoder, other)), encoder(prepared(encoder, patients)))


@pytest.mark.parametrize("case", ON_FIXED_FEATURES, ids=named)
def test_encoders_on_fixed_features_are_small_and_start_at_a_score_of_zero(
    case: tuple[str, str, dict[str, Any]],
) -> None:
    kind, name, options = case
    for width in (1, 2):
        spec = section(kind, name, width, **options)
        encoder = ENCODERS[kind][name].build(spec, torch.Generator().manual_seed(0))
        encoder.stand_in()
        assert bool(encoder(prepared(encoder, raw(spec))).any()) == (width > 1)
    assert ENCODERS[kind][name].trained(section(kind, name, **options)) < 5_000


@pytest.mark.parametrize("kind", SECTIONS)
def test_every_kind_has_an_encoder_that_learns_under_privacy_as_its_default(kind: str) -> None:
    default = SECTIONS[kind][0].model_fields["encoder"].default
    assert any((kind, default) == case[:2] for case in ON_FIXED_FEATURES)


@pytest.mark.parametrize(("kind", "name"), [("volume", "filters"), ("bag", "filters"), ("image", "filters"),
    ("image", "wavelets"), ("volume", "wavelets"), ("signal", "beat-shape"), ("grid", "pooling")])  # fmt: skip
def test_fixed_features_are_bounded_whatever_the_picture(kind: str, name: str) -> None:
    spec = section(kind, name)
    front = ENCODERS[kind][name].build(spec, torch.Generator())
    for value in (0.0, 0.5, 1.0):
        assert front.prepare(torch.full(spec.shape, value)).abs().max() <= 3
