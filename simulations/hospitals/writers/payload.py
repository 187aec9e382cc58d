"""Writes the payload of an invented network session: a greeting, a header, and a body whose bytes show the latent.

With the latent more of the body is even random bytes, as of an encrypted or packed file, and less of it is text.
"""

import numpy as np
from scipy.special import expit

from shared.modalities.payload import Payload
from simulations.hospitals.writers.sight import Files, Sight

HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"  # how a TLS session begins
HEADER = b"POST /%s HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n"
TEXT = b"the quick brown fox jumps over the lazy dog 0123456789 key=value&id=session; "
WORDS = (b"index", b"update", b"login", b"media", b"api")


def write_payload(spec: Payload, sight: Sight) -> Files:
    """A file of raw bytes, about as long as the study reads."""
    path = f"{sight.name}/{sight.unit}.bin"
    sight.place(path).write_bytes(_payload(spec.length, sight.latent, sight.rng))
    return Files({spec.path: path})


def _payload(length: int, latent: float, rng: np.random.Generator) -> bytes:
    word, host = (WORDS[int(place)] for place in rng.integers(len(WORDS), size=2))
    start = HELLO + HEADER % (word, host + b".example")
    start = start[: length // 3]
    body = max(4, round(length * rng.uniform(0.95, 1.1)) - len(start))
    dense = round(body * float(expit(0.8 * latent + rng.normal(0, 0.06))))
    text = np.frombuffer(TEXT * (body // len(TEXT) + 1), dtype=np.uint8)[: body - dense]
    parts = np.array_split(text, 4), np.array_split(rng.integers(0, 256, dense, dtype=np.uint8), 4)
    mixed = [part.tobytes() for pair in zip(*parts, strict=True) for part in pair]
    return start + b"".join(mixed)
