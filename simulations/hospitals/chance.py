"""Random streams by key: each is its own, whatever else is drawn before or beside it."""

from hashlib import sha256

import numpy as np


def stream(*keys: str | int) -> np.random.Generator:
    """The random stream of these keys."""
    digest = sha256("\x1f".join(str(key) for key in keys).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))
