"""From a text's bytes to its words, and from words to numbers that are the same on every machine."""

import re
import zlib
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from math import log1p

import torch
from torch import Tensor

WORD = re.compile(r"\w+")


def text_of(raw: Tensor) -> str:
    """The text of (bytes,) with zeros after its end; a character cut in two at the start is left out."""
    return bytes(raw.to(torch.uint8).numpy()).rstrip(b"\0").decode(errors="ignore").lower()


def words_of(raw: Tensor) -> list[str]:
    """Words in their order, in small letters, without punctuation."""
    return WORD.findall(text_of(raw))


@lru_cache(maxsize=1 << 18)
def stable_hash(text: str) -> int:
    """32 bits that depend on the text alone, unlike Python's own hash."""
    return zlib.crc32(text.encode())


def word_ids(raw: Tensor, places: int, buckets: int) -> Tensor:
    """The last words as buckets 1 to ``buckets`` - 1, zeros after the end: (places,)."""
    found = [1 + stable_hash(word) % (buckets - 1) for word in words_of(raw)[-places:]]
    return torch.tensor([*found, *[0] * (places - len(found))], dtype=torch.float32)


def hashed_counts(tokens: Iterable[str], buckets: int) -> Tensor:
    """Signed feature hashing: log(1 + count) of each token added to, or taken from, its bucket; length one, or zeros.

    Weinberger et al., ICML 2009: the sign makes collisions cancel on average.
    """
    counts = torch.zeros(buckets)
    for token, count in Counter(tokens).items():
        number = stable_hash(token)
        counts[number % buckets] += log1p(count) * (1 if number >> 31 else -1)
    unit: Tensor = counts / counts.norm().clamp(min=1e-6)
    return unit
