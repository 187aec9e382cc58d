"""A pre-trained BERT over a patient's text: frozen under one trained matrix, with LoRA adapters, or tuned in full.

The folder's weights stay at the hospital. Adapters, or differences from the folder's weights, are what is trained and
travels; the tables of words are never trained.
"""

from pathlib import Path

import torch
from torch import Generator, Tensor, nn

from shared.encoders.base import LENGTH, Encoder, FixedFeatures, draw_readout, mean_present
from shared.encoders.pretrained import NOT_ATTACHED
from shared.encoders.transformers_folder import Bert, Shaped, invented, read_bert, skeleton
from shared.encoders.words import text_of
from shared.errors import RunError
from shared.modalities.text import Text


def bert(spec: Text) -> Encoder:
    """The encoder for the section's ``tuning``."""
    return FrozenBert(spec) if spec.tuning == "frozen" else TunedBert(spec)


def tuned_in_full(spec: Text) -> bool:
    """Whether every layer has a difference of its own: too much memory for a copy by patient."""
    return spec.tuning == "full"


class _Held:
    """The folder's model, kept out of the encoder's parameters."""

    def __init__(self, spec: Text) -> None:
        self.shaped = Shaped(spec.dimension, spec.layers, spec.tokens, spec.tuning == "lora")
        self._bert: Bert | None = None

    def read(self, path: Path) -> None:
        """From the hospital's disk."""
        self._bert = read_bert(path, self.shaped)

    def invent(self) -> None:
        """Random weights of the declared shape."""
        self._bert = invented(self.shaped)

    @property
    def bert(self) -> Bert:
        """RunError before it was read."""
        if self._bert is None:
            raise RunError(NOT_ATTACHED)
        return self._bert

    def windows(self, raw: Tensor) -> Tensor:
        """The text in windows of the model's length, first to last: ids plus one, zeros after the end."""
        begin, end = self.bert.ends
        ids, room = self.bert.tokenize(text_of(raw)), self.shaped.tokens - 2
        rows = [[begin, *ids[start : start + room], end] for start in range(0, max(len(ids), 1), room)]
        padded = [[number + 1 for number in row] + [0] * (self.shaped.tokens - len(row)) for row in rows]
        return torch.tensor(padded, dtype=torch.float32)

    def embeddings(self, weights: dict[str, Tensor], windows: Tensor) -> Tensor:
        """Mean of the last hidden states, of one length: (windows, tokens) to (windows, dimension)."""
        mask = (windows != 0).float()
        ids = (windows.long() - 1).remainder(self.bert.vocabulary)
        mean = mean_present(self.bert.hidden(weights, ids, mask), mask)
        unit: Tensor = mean / mean.norm(dim=1, keepdim=True).clamp(min=1e-6)
        return LENGTH * unit


class FrozenBert(FixedFeatures):
    """(patients, dimension), the mean embedding of a text's windows, to (patients, width)."""

    def __init__(self, spec: Text) -> None:
        super().__init__(spec.dimension, spec.width)
        self.weights = spec.weights
        self._held = _Held(spec)

    def attach(self, path: Path) -> None:
        """Read the folder."""
        self._held.read(path)

    def stand_in(self) -> None:
        """A random model."""
        self._held.invent()

    def prepare(self, raw: Tensor) -> Tensor:
        """The folder's model over the whole text: (bytes,) to (dimension,); no text is zeros."""
        if not raw.any():
            return torch.zeros(self._held.shaped.dimension)
        windows = self._held.windows(raw)
        with torch.no_grad():
            embeddings = self._held.embeddings({}, windows)
        share = (windows != 0).float().sum(1, keepdim=True)
        return (embeddings * share).sum(0) / share.sum()


class TunedBert(Encoder):
    """(patients, tokens) of ids plus one, the last window of a text, to (patients, width)."""

    def __init__(self, spec: Text) -> None:
        super().__init__()
        self.width, self.weights = spec.width, spec.weights
        self._held, self._lora = _Held(spec), spec.tuning == "lora"
        part = "lora_" if self._lora else "encoder."
        named = ((name, value) for name, value in skeleton(self._held.shaped).named_parameters() if part in name)
        self.trained = nn.ParameterDict({name.replace(".", "-"): nn.Parameter(value) for name, value in named})
        self.readout = nn.Linear(spec.dimension, spec.width, bias=False)

    def start(self, generator: Generator) -> None:
        """No change to the folder's model: of an adapter's two matrices the second is zero."""
        for name, value in self.trained.items():
            nn.init.zeros_(value)
            if "lora_A" in name:
                nn.init.normal_(value, std=value.shape[1] ** -0.5, generator=generator)
        draw_readout(self.readout, generator)

    def attach(self, path: Path) -> None:
        """Read the folder."""
        self._held.read(path)

    def stand_in(self) -> None:
        """A random model."""
        self._held.invent()

    def prepare(self, raw: Tensor) -> Tensor:
        """Tokens of the text's end: (bytes,) to (tokens,); no text is zeros."""
        tokens = self._held.shaped.tokens
        if not raw.any():
            return torch.zeros(tokens)
        begin, end = self._held.bert.ends
        last = self._held.bert.tokenize(text_of(raw))[-(tokens - 2) :]
        ids = [number + 1 for number in (begin, *last, end)]
        return torch.tensor([*ids, *[0] * (tokens - len(ids))], dtype=torch.float32)

    def forward(self, x: Tensor) -> Tensor:
        """Embed prepared patients: (patients, tokens) to (patients, width)."""
        weights = {name.replace("-", "."): value for name, value in self.trained.items()}
        if not self._lora:
            base = self._held.bert.model.get_parameter
            weights = {name: base(name) + value for name, value in weights.items()}
        embedding: Tensor = self.readout(self._held.embeddings(weights, x))
        return embedding
