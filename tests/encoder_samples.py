"""A section of every encoder, small, and invented patients whose last parts are absent."""

from typing import Any

import torch
from torch import Tensor

from shared.encoders import ENCODERS
from shared.encoders.base import Encoder
from shared.encoders.networks import NETWORKS
from shared.modalities.bag import Bag
from shared.modalities.concepts import Concepts
from shared.modalities.grid import Grid
from shared.modalities.image import Image
from shared.modalities.payload import Payload
from shared.modalities.series import Series
from shared.modalities.signal import Signal
from shared.modalities.tabular import Tabular
from shared.modalities.text import Text
from shared.modalities.volume import Volume

PATIENTS = 3
DIGEST = "0" * 64
AGE, LACTATE = {"range": (18.0, 100.0)}, {"range": (0.0, 20.0)}
SECTIONS: dict[str, tuple[Any, dict[str, Any]]] = {
    "tabular": (Tabular, {"numeric": {"age": AGE}, "categorical": {"sex": {"values": ("f", "m")}}}),
    "series": (Series, {"variables": {"lactate": LACTATE, "age": AGE}, "hours": 24.0, "steps": 6}),
    "signal": (Signal, {"path": "ecg", "leads": ("I", "II"), "rate": 100.0, "seconds": 4.0}),
    "image": (Image, {"path": "xray", "shape": (3, 32, 32)}),
    "volume": (Volume, {"path": "ct", "spacing": (2.0, 2.0, 3.0), "shape": (16, 16, 12), "window": (-160.0, 240.0)}),
    "bag": (Bag, {"path": "p/{patient}/*.png", "items": 4, "shape": (3, 24, 24)}),
    "text": (Text, {"column": "report", "length": 128, "dimension": 16, "layers": 2, "tokens": 12}),
    "concepts": (Concepts, {"column": "codes", "items": 8}),
    "bytes": (Payload, {"path": "payload", "length": 64}),
    "grid": (Grid, {"path": "radar", "frames": 4, "shape": (2, 12, 10), "range": (0.0, 1.0)}),
}  # fmt: skip
LARGER = {  # sides that a network needs, by kind
    "volume": {"shape": (32, 32, 32)},
    "bag": {"shape": (3, 32, 32)},
}
WORDS = ["no", "pain", "fever", "cough", "effusion", "normal", "heart", "lung", "acute", "chronic", "left", "right"]
# Options of an encoder beside its name; every encoder that is not here has one case without any.
OPTIONS: dict[tuple[str, str], list[dict[str, Any]]] = {
    ("text", "words"): [{"weights": DIGEST}],
    ("text", "bilstm"): [{}, {"weights": DIGEST}],
    ("text", "bert"): [{"weights": DIGEST, "tuning": tuning} for tuning in ("frozen", "lora", "full")],
    ("bytes", "byte-cnn"): [{"pretraining": 1}],
    ("image", "network"): [{"network": name} for name in NETWORKS] + [{"weights": DIGEST}],
    ("volume", "network"): [{"network": name} for name in ("resnet10", "densenet121", "vit", "efficientnet-b0")],
    ("bag", "network"): [{"network": "resnet10"}],
}
CASES = [
    (kind, name, options)
    for kind, encoders in ENCODERS.items()
    for name in encoders
    for options in OPTIONS.get((kind, name), [{}])
]


def named(case: tuple[str, str, dict[str, Any]]) -> str:
    """A case in a test's name."""
    kind, name, options = case
    return " ".join([kind, name, *(str(value)[:12] for value in options.values())])


def section(kind: str, name: str, width: int = 1, **options: Any) -> Any:
    """The section of a study file that names an encoder."""
    made, values = SECTIONS[kind]
    larger = LARGER.get(kind, {}) if name == "network" else {}
    return made.model_validate({"kind": kind, "encoder": name, "width": width, **values, **larger, **options})


def raw(spec: Any, patients: int = PATIENTS, seed: int = 1) -> Tensor:
    """Patients before the front end: (patients, *shape), as their reader gives them; the last parts are absent."""
    chance = torch.Generator().manual_seed(seed)
    values = torch.rand(patients, *spec.shape, generator=chance)
    if spec.kind == "text":
        return torch.stack([_text(spec.length, chance) for _ in range(patients)])
    if spec.kind in ("signal", "tabular"):
        return 2 * values - 1
    if spec.kind == "series":
        values[..., 3] = (values[..., 3] > 0.4).float()
        values[..., :3] = (2 * values[..., :3] - 1) * values[..., 3:]
    if spec.kind == "bag":
        values[:, 2:] = 0
    if spec.kind == "grid":
        values[:, :1] = 0
    if spec.kind in ("concepts", "bytes"):
        most = 2**31 - 2 if spec.kind == "concepts" else 255
        values = (1 + values.double() * most).long()
        values[:, spec.shape[0] * 3 // 4 :] = 0
    return values


def _text(length: int, chance: torch.Generator) -> Tensor:
    order = torch.randperm(len(WORDS), generator=chance)[:8]
    content = " ".join(WORDS[place] for place in order.tolist()).encode()
    return torch.tensor([*content, *[0] * (length - len(content))], dtype=torch.uint8)


def moved(encoder: Encoder, spread: float = 0.1) -> Encoder:
    """Off its start, so that weights that begin at zero take part; with invented weights where a file has some."""
    encoder.stand_in()
    chance = torch.Generator().manual_seed(99)
    with torch.no_grad():
        for weight in encoder.parameters():
            size = spread * (1 if weight.ndim < 2 else weight[0].numel() ** -0.5)
            weight.add_(size * torch.randn(weight.shape, generator=chance))
    return encoder


def built(kind: str, name: str, width: int, options: dict[str, Any]) -> tuple[Any, Encoder]:
    """A section and its encoder, moved."""
    spec = section(kind, name, width, **options)
    return spec, moved(ENCODERS[kind][name].build(spec, torch.Generator().manual_seed(0)))


def prepared(encoder: Encoder, patients: Tensor) -> Tensor:
    """Patients after the front end."""
    with torch.no_grad():
        return torch.stack([encoder.prepare(patient) for patient in patients])
