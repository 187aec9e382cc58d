"""Every encoder by modality kind and name, and how its per-patient gradients are computed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from torch import Generator

from shared.encoders.base import Encoder, build
from shared.encoders.convolutional import BagCnn, VolumeCnn
from shared.encoders.filters import BagFilters, VolumeFilters
from shared.encoders.linear import Linear, Mlp
from shared.encoders.mil import AttentionMil
from shared.encoders.network import BagNetwork, Network
from shared.modalities import Modality


@dataclass(frozen=True)
class Entry:
    """An encoder's class, and whether gradients come from ``vmap`` over patients or a ``loop`` (less memory)."""

    kind: Callable[[Any], Encoder]
    gradients: Literal["vmap", "loop"]

    def build(self, modality: Modality, generator: Generator) -> Encoder:
        """The encoder for a modality of a study, with initial weights from the generator."""
        return build(self.kind, modality, generator)


ENCODERS: dict[str, dict[str, Entry]] = {
    "tabular": {"linear": Entry(Linear, "vmap"), "mlp": Entry(Mlp, "vmap")},
    "volume": {
        "filters": Entry(VolumeFilters, "vmap"),
        "cnn": Entry(VolumeCnn, "vmap"),
        "network": Entry(Network, "loop"),
    },
    "bag": {
        "filters": Entry(BagFilters, "vmap"),
        "attention-mil": Entry(AttentionMil, "vmap"),
        "cnn": Entry(BagCnn, "vmap"),
    },
}
