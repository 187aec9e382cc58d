"""Gaussian noise from a cryptographic stream; nothing seeds it but the operating system's entropy.

Torch's CPU generator keeps 32 bits of its seed, which can be tried through. Here: ChaCha20 under a fresh 256-bit key,
52 bits a draw, inverse normal in float64 by torch's vectorised inverse of the error function.
"""

import math
import os
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20


def gaussian(shape: Sequence[int], standard_deviation: float) -> npt.NDArray[np.float64]:
    """Independent normal draws of the given shape; there is no way to repeat them."""
    draws = _normal(uniform(math.prod(shape)))
    draws *= standard_deviation
    return draws.reshape(tuple(shape))


def uniform(count: int) -> npt.NDArray[np.float64]:
    """Independent uniform draws inside (0, 1), never its ends, that nobody can repeat: (count,)."""
    stream = Cipher(ChaCha20(os.urandom(32), os.urandom(16)), mode=None).encryptor()
    return _inside(np.frombuffer(stream.update(bytes(8 * count)), dtype="<u8"))


def _inside(bits: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    """Middles of 2^52 equal parts of (0, 1); with one bit more, the last middle would be rounded to 1 and its normal
    draw to infinity."""
    draws = (bits >> np.uint64(12)).astype(np.float64)
    draws += 0.5
    draws *= 2.0**-52
    return draws


def _normal(draws: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The normal quantiles of such middles, in place; twice a middle less one is exact in float64."""
    torch.from_numpy(draws).mul_(2).sub_(1).erfinv_().mul_(math.sqrt(2))
    return draws
