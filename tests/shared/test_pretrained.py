"""Weights from a hospital's disk are fitted to a network, stay out of what travels, and are refused if they differ."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from shared.encoders import ENCODERS
from shared.encoders.network import CENTRE, SPREAD
from shared.encoders.networks import network
from shared.errors import RunError, SiteError
from tests.encoder_samples import DIGEST, prepared, raw, section


def drawn(seed: int, channels: int = 3) -> dict[str, Tensor]:
    """A file's weights for the network of the tests, with a last layer of another task."""
    chance = torch.Generator().manual_seed(seed)
    made = network("resnet10", (channels, 32, 32), 7)
    return {name: 0.1 * torch.randn(value.shape, generator=chance) for name, value in made.named_parameters()}


def encoder_of(width: int = 2):
    spec = section("image", "network", width, network="resnet10", weights=DIGEST)
    return spec, ENCODERS["image"]["network"].build(spec, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pth"])
def test_the_file_is_what_the_network_starts_from_and_no_parameter_holds_it(tmp_path: Path, name: str) -> None:
    spec, encoder = encoder_of()
    start = {key: value.clone() for key, value in encoder.state_dict().items()}
    values = drawn(1)
    path = tmp_path / name
    if name.endswith("safetensors"):
        save_file(values, path)
    else:
        torch.save({"state_dict": {f"module.{key}": value for key, value in values.items()}}, path)
    encoder.attach(path)
    x = prepared(encoder, raw(spec))
    plain = network("resnet10", (3, 32, 32), 2)
    last = {"fc.weight": start["network.fc.weight"], "fc.bias": start["network.fc.bias"]}
    plain.load_state_dict({**values, **last})
    torch.testing.assert_close(encoder(x), plain((x - CENTRE) / SPREAD))
    assert all(torch.equal(value, start[key]) for key, value in encoder.state_dict().items())
    assert not any(value.any() for key, value in start.items() if ".fc." not in key)


def test_a_grey_picture_gives_what_its_copies_in_every_channel_gave(tmp_path: Path) -> None:
    save_file(drawn(1), tmp_path / "model.safetensors")
    grey, colour = (
        section("image", "network", 1, weights=DIGEST, network="resnet10", shape=(n, 32, 32)) for n in (1, 3)
    )
    one, three = (ENCODERS["image"]["network"].build(spec, torch.Generator().manual_seed(0)) for spec in (grey, colour))
    for encoder in (one, three):
        encoder.attach(tmp_path)  # a folder with the file in it
    one.network.fc.load_state_dict(three.network.fc.state_dict())
    x = raw(grey)
    torch.testing.assert_close(one(x), three(x.expand(-1, 3, -1, -1)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("change", "rule"), [
    (lambda values: values.pop("conv1.weight"), "lacks 1 of the network's weights, .*: first conv1.weight"),
    (lambda values: values.update({"bn1.bias": torch.zeros(3)}), "lacks 1 of the network's weights"),
])  # fmt: skip
def test_a_file_of_another_network_is_refused(tmp_path: Path, change, rule) -> None:
    values = drawn(1)
    change(values)
    save_file(values, tmp_path / "model.safetensors")
    with pytest.raises(SiteError, match=rule):
        encoder_of()[1].attach(tmp_path / "model.safetensors")


def test_what_is_no_file_of_weights_is_refused_without_its_path(tmp_path: Path) -> None:
    (tmp_path / "secret.pth").write_bytes(b"no weights")
    for path in (tmp_path / "secret.pth", tmp_path / "absent.safetensors", tmp_path):
        with pytest.raises(SiteError) as caught:
            encoder_of()[1].attach(path)
        assert str(tmp_path) not in str(caught.value)
        assert "secret" not in str(caught.value)


def test_a_pickle_that_would_run_code_is_refused_and_not_run(tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    torch.save({"conv1.weight": Harmful()}, tmp_path / "weights.pt")
    with pytest.raises(SiteError, match="no readable file"):
        encoder_of()[1].attach(tmp_path / "weights.pt")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(("kind", "name"), [("image", "network"), ("text", "words"), ("text", "bert")])
def test_an_encoder_without_its_file_says_so(kind: str, name: str) -> None:
    spec = section(kind, name, weights=DIGEST)
    encoder = ENCODERS[kind][name].build(spec, torch.Generator().manual_seed(0))
    with pytest.raises(RunError, match="were not loaded"):
        encoder(prepared(encoder, raw(spec)))


VECTORS = "3 4\nthe 1 0 0 0\nfever 0 2 0 0\nCough 0 0 0.5 0\n"


def test_words_are_the_mean_of_their_vectors_where_a_frequent_word_counts_less(tmp_path: Path) -> None:
    (tmp_path / "vectors.txt").write_text(VECTORS, encoding="utf-8")
    spec = section("text", "words", weights=DIGEST, dimension=4)
    encoder = ENCODERS["text"]["words"].build(spec, torch.Generator().manual_seed(0))
    encoder.attach(tmp_path / "vectors.txt")
    content = torch.tensor(list(b"The Fever, cough; xyz".ljust(128, b"\0")), dtype=torch.uint8)
    x = encoder.prepare(content)
    assert x[3] == 0
    assert x[0] < x[1] < x[2]
    assert not encoder.prepare(torch.zeros(128)).any()


@pytest.mark.parametrize("line", ["word 1 2 3", "word 1 2 3 x", "word 1 2 3 nan", "alone"])
def test_a_broken_line_of_word_vectors_is_named_by_its_number(tmp_path: Path, line: str) -> None:
    (tmp_path / "vectors.txt").write_text(f"{VECTORS}{line}\n", encoding="utf-8")
    spec = section("text", "words", weights=DIGEST, dimension=4)
    encoder = ENCODERS["text"]["words"].build(spec, torch.Generator().manual_seed(0))
    with pytest.raises(SiteError, match="line 5 is not a word and 4 numbers"):
        encoder.attach(tmp_path / "vectors.txt")
