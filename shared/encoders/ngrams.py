"""Hashed n-grams of words and of characters, with one trained matrix: text without a vocabulary.

A vocabulary drawn from notes would be a release of what they say; a hash is public. Characters catch endings, parts of
compounds and misspellings.
"""

from collections.abc import Iterator
from itertools import pairwise
from math import sqrt

import torch
from torch import Tensor

from shared.encoders.base import LENGTH, FixedFeatures, Spec
from shared.encoders.words import hashed_counts, words_of

WORDS, CHARACTERS = 1024, 1024  # buckets
LENGTHS = (3, 4, 5)  # of the n-grams of characters, inside a word with its ends marked
SIZE = LENGTH / sqrt(2)  # of each part


class Ngrams(FixedFeatures):
    """(patients, 2048) to (patients, width)."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(WORDS + CHARACTERS, spec.width)

    def prepare(self, raw: Tensor) -> Tensor:
        """Fixed features: (bytes,) to (2048,)."""
        words = words_of(raw)
        return SIZE * torch.cat([hashed_counts(_terms(words), WORDS), hashed_counts(_pieces(words), CHARACTERS)])


def _terms(words: list[str]) -> Iterator[str]:
    """Words and pairs of neighbours."""
    yield from words
    yield from (f"{left} {right}" for left, right in pairwise(words))


def _pieces(words: list[str]) -> Iterator[str]:
    """Parts of words, "_" at their ends; apart from words by a first sign that no word has."""
    for word in words:
        marked = f"_{word}_"
        for length in LENGTHS:
            yield from (f"#{marked[place : place + length]}" for place in range(len(marked) - length + 1))
