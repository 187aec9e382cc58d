"""Every encoder by modality kind and name, and how its per-patient gradients are computed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from torch import Generator

from shared.encoders.base import Encoder, build, skeleton
from shared.encoders.beat_shape import BeatShape
from shared.encoders.bert import bert, tuned_in_full
from shared.encoders.byte_cnn import ByteCnn
from shared.encoders.byte_histogram import ByteHistogram
from shared.encoders.convolutional import BagCnn, ImageCnn, VolumeCnn
from shared.encoders.filters import BagFilters, ImageFilters, VolumeFilters
from shared.encoders.frames import ConvLstm, Pooling
from shared.encoders.hashed_bag import HashedBag
from shared.encoders.linear import Linear, Mlp
from shared.encoders.mil import AttentionMil
from shared.encoders.network import BagNetwork, Network
from shared.encoders.ngrams import Ngrams
from shared.encoders.recurrent import ConceptLstm, SeriesGru, SeriesLstm
from shared.encoders.resnet1d import Resnet1d, Resnet1dTransformer
from shared.encoders.text_lstm import TextLstm
from shared.encoders.wavelets import Wavelets
from shared.encoders.window_statistics import WindowStatistics
from shared.encoders.word_vectors import Words
from shared.modalities import Modality

Mode = Literal["vmap", "loop"]


@dataclass(frozen=True)
class Entry:
    """An encoder's class, and whether gradients come from ``vmap`` over patients or a ``loop`` (less memory).

    ``loop_if`` tells from a modality's section that only the loop serves.
    """

    kind: Callable[[Any], Encoder]
    gradients: Mode
    loop_if: Callable[[Any], bool] | None = None

    def build(self, modality: Modality, generator: Generator) -> Encoder:
        """The encoder for a modality of a study, with initial weights from the generator."""
        return build(self.kind, modality, generator)

    def mode(self, modality: Modality) -> Mode:
        """How the gradients of this modality's encoder are taken."""
        return "loop" if self.loop_if and self.loop_if(modality) else self.gradients

    def trained(self, modality: Modality) -> int:
        """Trained parameters, counted without memory for them."""
        return sum(value.numel() for value in skeleton(self.kind, modality).parameters())


ENCODERS: dict[str, dict[str, Entry]] = {
    "tabular": {"linear": Entry(Linear, "vmap"), "mlp": Entry(Mlp, "vmap")},
    "series": {
        "window-statistics": Entry(WindowStatistics, "vmap"),
        "bilstm": Entry(SeriesLstm, "vmap"),
        "gru": Entry(SeriesGru, "vmap"),
    },
    "signal": {
        "beat-shape": Entry(BeatShape, "vmap"),
        "resnet1d": Entry(Resnet1d, "vmap"),
        "resnet1d-transformer": Entry(Resnet1dTransformer, "vmap"),
    },
    "image": {
        "filters": Entry(ImageFilters, "vmap"),
        "wavelets": Entry(Wavelets, "vmap"),
        "cnn": Entry(ImageCnn, "vmap"),
        "network": Entry(Network, "loop"),
    },
    "volume": {
        "filters": Entry(VolumeFilters, "vmap"),
        "wavelets": Entry(Wavelets, "vmap"),
        "cnn": Entry(VolumeCnn, "vmap"),
        "network": Entry(Network, "loop"),
    },
    "bag": {
        "filters": Entry(BagFilters, "vmap"),
        "attention-mil": Entry(AttentionMil, "vmap"),
        "cnn": Entry(BagCnn, "vmap"),
        "network": Entry(BagNetwork, "loop"),
    },
    "text": {
        "ngrams": Entry(Ngrams, "vmap"),
        "words": Entry(Words, "vmap"),
        "bilstm": Entry(TextLstm, "vmap"),
        "bert": Entry(bert, "vmap", loop_if=tuned_in_full),
    },
    "concepts": {"hashed-bag": Entry(HashedBag, "vmap"), "bilstm": Entry(ConceptLstm, "vmap")},
    "bytes": {"byte-histogram": Entry(ByteHistogram, "vmap"), "byte-cnn": Entry(ByteCnn, "vmap")},
    "grid": {"pooling": Entry(Pooling, "vmap"), "convlstm": Entry(ConvLstm, "vmap")},
}
