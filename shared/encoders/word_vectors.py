"""Word vectors from a file on the hospital's disk, as word2vec and GloVe write text: a word and its numbers a line."""

from collections.abc import Callable, Sequence
from math import log
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from shared.encoders.base import LENGTH, FixedFeatures
from shared.encoders.pretrained import NOT_ATTACHED, unfit
from shared.encoders.words import stable_hash, words_of
from shared.errors import RunError
from shared.modalities.text import Text

INVENTED = 64  # vectors of the stand-in
RARE = 1e-3  # frequency above which a word counts less (Arora, Liang, Ma, ICLR 2017, section 3)


class WordVectors:
    """Vectors of unit length by word, most frequent word first, as such files are written."""

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self._place: Callable[[str], int | None] | None = None  # of a word in the file
        self._vectors = torch.zeros(0, dimension)

    def load(self, path: Path) -> None:
        """Read the file; SiteError where a line is none of its format. A first line of two numbers is its header."""
        places: dict[str, int] = {}
        vectors: list[npt.NDArray[np.float32]] = []
        try:
            with path.open(encoding="utf-8", errors="replace") as lines:
                for number, line in enumerate(lines, start=1):
                    word, _, values = line.rstrip().partition(" ")
                    if number == 1 and " " not in values:
                        continue
                    vector = np.array(values.split(" "), dtype=np.float32)
                    if len(vector) != self.dimension or not np.isfinite(vector).all():
                        raise ValueError
                    if places.setdefault(word.lower(), len(vectors)) == len(vectors):  # of Word and word the first
                        vectors.append(vector / max(float(np.linalg.norm(vector)), 1e-6))
        except ValueError:
            raise unfit(f"line {number} is not a word and {self.dimension} numbers") from None
        except OSError:
            raise unfit("the file of word vectors cannot be opened") from None
        self._place, self._vectors = places.get, torch.from_numpy(np.stack(vectors))

    def stand_in(self) -> None:
        """Random vectors that words share."""
        vectors = torch.randn(INVENTED, self.dimension, generator=torch.Generator().manual_seed(0))
        self._place, self._vectors = _shared_place, vectors / self.dimension**0.5

    def of(self, words: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Vectors of the words that have one (n, dimension), and how much each counts in a mean (n,).

        A word's frequency is taken from its place in the file by Zipf's law.
        """
        if self._place is None:
            raise RunError(NOT_ATTACHED)
        found = [place for word in words if (place := self._place(word)) is not None]
        places = torch.tensor(found, dtype=torch.long)
        frequency = 1 / ((places + 1) * log(len(self._vectors) + 2))
        return self._vectors[places], RARE / (RARE + frequency)


def _shared_place(word: str) -> int:
    return stable_hash(word) % INVENTED


class Words(FixedFeatures):
    """(patients, dimension), the mean vector of a text's words, to (patients, width)."""

    def __init__(self, spec: Text) -> None:
        super().__init__(spec.dimension, spec.width)
        self.weights = spec.weights
        self._vectors = WordVectors(spec.dimension)

    def attach(self, path: Path) -> None:
        """Read the word vectors."""
        self._vectors.load(path)

    def stand_in(self) -> None:
        """Invented vectors."""
        self._vectors.stand_in()

    def prepare(self, raw: Tensor) -> Tensor:
        """Mean vector: (bytes,) to (dimension,); zeros where no word has one."""
        vectors, counts = self._vectors.of(words_of(raw))
        return LENGTH * (vectors * counts.unsqueeze(1)).sum(0) / counts.sum().clamp(min=1e-6)
