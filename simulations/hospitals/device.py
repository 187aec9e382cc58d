"""A hospital's machine that takes two-dimensional pictures: its gain, offset, noise and blur."""

from dataclasses import dataclass

import numpy as np

from simulations.hospitals.chance import stream
from simulations.hospitals.texture import Field


@dataclass(frozen=True)
class Device:
    """Gain and offset of the values, spread of the noise, all of a picture in [0, 1]; blur in pixels."""

    gain: float
    offset: float
    noise: float
    blur: float


def device(kind: str, site: str, shift: float) -> Device:
    """A hospital's machine of a kind; ``shift`` is how far hospitals are apart: 0 not at all, 1 as real ones are."""
    rng = stream("device", kind, site)
    gain, offset, noise, blur = shift * rng.standard_normal(4)
    return Device(1 + 0.06 * gain, 0.02 * offset, 0.012 * np.exp(0.4 * noise), 0.5 * np.exp(0.3 * blur))


def recorded(picture: Field, machine: Device, rng: np.random.Generator) -> Field:
    """A picture (height, width) or (height, width, 3) as the machine shows it, in [0, 1]."""
    from scipy.ndimage import gaussian_filter

    spreads = (machine.blur, machine.blur, *[0.0] * (picture.ndim - 2))
    seen = gaussian_filter(picture, spreads) * np.float32(machine.gain) + np.float32(machine.offset)
    seen += np.float32(machine.noise) * rng.standard_normal(seen.shape, dtype=np.float32)
    return np.asarray(np.clip(seen, 0, 1), dtype=np.float32)
