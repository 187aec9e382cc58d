"""Gaussian noise from a cryptographic stream; nothing seeds it but the operating system's entropy.

Torch's CPU generator keeps 32 bits of its seed, which can be tried through. Here: ChaCha20 under a fresh 256-bit key,
52 bits a draw, inverse normal in float64.
"""

import os
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from scipy.special import ndtri


def gaussian(shape: Sequence[int], standard_deviation: float) -> npt.NDArray[np.float64]:
    """Independent normal draws of the given shape; there is no way to repeat them."""
    draws: npt.NDArray[np.float64] = ndtri(uniform(int(np.prod(shape))))
    return standard_deviation * draws.reshape(tuple(shape))


def uniform(count: int) -> npt.NDArray[np.float64]:
    """Independent uniform draws inside (0, 1), never its ends, that nobody can repeat: (count,)."""
    stream = Cipher(ChaCha20(os.urandom(32), os.urandom(16)), mode=None).encryptor()
    return _inside(np.frombuffer(stream.update(bytes(8 * count)), dtype="<u8"))


def _inside(bits: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    """Middles of 2^52 equal parts of (0, 1); with one bit more, the last middle would be rounded to 1 and its normal
    draw to infinity."""
    return ((bits >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
