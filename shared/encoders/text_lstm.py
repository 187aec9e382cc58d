"""A recurrent network over the words of a text: their vectors from a file, or hashed embeddings that are trained."""

from pathlib import Path

import torch
from torch import Tensor, nn

from shared.encoders.recurrent import BUCKETS, EMBEDDING, Recurrent, embedded
from shared.encoders.word_vectors import WordVectors
from shared.encoders.words import word_ids, words_of
from shared.modalities.text import Text


class TextLstm(Recurrent):
    """(patients, tokens) of hashed words, or (patients, tokens, dimension) of vectors, to (patients, width)."""

    def __init__(self, spec: Text) -> None:
        super().__init__(nn.LSTM, spec.dimension if spec.weights else EMBEDDING, spec.width)
        self.weights = spec.weights
        self.tokens = spec.tokens
        self.embedding = None if spec.weights else nn.Embedding(BUCKETS, EMBEDDING)
        self._vectors = WordVectors(spec.dimension)

    def attach(self, path: Path) -> None:
        """Read the word vectors."""
        self._vectors.load(path)

    def stand_in(self) -> None:
        """Invented vectors."""
        if self.weights:
            self._vectors.stand_in()

    def prepare(self, raw: Tensor) -> Tensor:
        """The last words: (bytes,) to (tokens,) or (tokens, dimension), zeros after the end."""
        if self.embedding is not None:
            return word_ids(raw, self.tokens, BUCKETS)
        vectors, _ = self._vectors.of(words_of(raw))
        kept = vectors[-self.tokens :] * self._vectors.dimension**0.5  # numbers of size one
        return torch.cat([kept, kept.new_zeros(self.tokens - len(kept), self._vectors.dimension)])

    def forward(self, x: Tensor) -> Tensor:
        """Embed prepared patients."""
        if self.embedding is not None:
            return self.read(*embedded(self.embedding, x))
        return self.read(x, (x != 0).any(-1).to(x.dtype))
