"""An invented ultrasound picture of a thigh's muscle: skin, fat, fascia, the striped muscle, and the bone below it.

With the latent the muscle gets thinner and brighter, and its stripes fade, as in sarcopenia.
"""

import numpy as np

from simulations.hospitals.looks.ultrasound import speckled
from simulations.hospitals.texture import Field, inside, paint, plane, smooth_noise

FASCIA = -0.55  # where the muscle begins


def render(latent: float, side: int, count: int, rng: np.random.Generator) -> list[Field]:
    """``count`` views of one muscle, (side, side) each, in [0, 1]."""
    muscle = {
        "thick": float(0.90 * np.exp(-0.22 * latent + rng.normal(0, 0.010))),
        "echo": float(np.clip(0.30 + 0.055 * latent + rng.normal(0, 0.004), 0.08, 0.6)),
        "stripes": float(np.clip(0.09 - 0.02 * latent, 0.01, 0.2)),
    }
    return [_view(muscle, side, rng) for _ in range(count)]


def _view(muscle: dict[str, float], side: int, rng: np.random.Generator) -> Field:
    x, y = plane(side)
    depth = y + np.float32(0.05) * smooth_noise(x.shape, (2, 3), rng)
    tilt = np.float32(rng.normal(0.15, 0.05))
    waves = np.sin((depth + tilt * x) * np.float32(rng.uniform(30, 36)) + smooth_noise(x.shape, (3, 5), rng))
    echo = np.float32(muscle["echo"]) + np.float32(muscle["stripes"]) * waves
    echo += np.float32(0.03) * smooth_noise(x.shape, (8, 5), rng)
    bone = np.float32(FASCIA + muscle["thick"]) + np.float32(0.10) * x**2
    paint(echo, inside(depth - bone, 0.03), 0.06)  # its shadow
    paint(echo, inside(0.03 - np.abs(depth - bone), 0.03), 0.92)
    fat = inside(FASCIA - depth, 0.03)
    paint(echo, fat, 0.22 + 0.05 * smooth_noise(x.shape, (10, 8), rng))
    for place in (FASCIA, -0.72 + rng.normal(0, 0.02)):
        paint(echo, 0.8 * inside(0.014 - np.abs(depth - np.float32(place)), 0.03), 0.85)
    paint(echo, inside(-0.88 - depth, 0.03), 0.75)
    return speckled(echo, y, rng)
