"""An invented ultrasound picture of a kidney: capsule, cortex, dark pyramids, and the bright sinus in the middle.

With the latent the cortex gets brighter, the pyramids stand out less from it, and the kidney shrinks a little.
"""

import numpy as np

from simulations.hospitals.looks.ultrasound import speckled
from simulations.hospitals.texture import Field, inside, paint, plane, smooth_noise

PYRAMIDS = 7


def render(latent: float, side: int, count: int, rng: np.random.Generator) -> list[Field]:
    """``count`` views of one kidney along its long axis, (side, side) each, in [0, 1]."""
    cortex = float(np.clip(0.34 + 0.055 * latent + rng.normal(0, 0.004), 0.08, 0.7))
    pyramid = cortex - float(np.clip(0.15 - 0.03 * latent, 0.02, 0.3))
    size = float(np.exp(-0.05 * latent + rng.normal(0, 0.015)))
    return [_view(cortex, pyramid, size, side, rng) for _ in range(count)]


def _view(cortex: float, pyramid: float, size: float, side: int, rng: np.random.Generator) -> Field:
    x, y = plane(side)
    turn = np.float32(rng.normal(0, 0.08))
    u = (x + turn * y - np.float32(rng.normal(0, 0.04))) / np.float32(0.78 * size)
    v = (y - turn * x - np.float32(rng.normal(0.05, 0.04))) / np.float32(0.44 * size)
    v = v + np.float32(0.22) * u**2  # it bends like a bean
    echo = np.float32(0.46) + np.float32(0.06) * smooth_noise(x.shape, (6, 4), rng)
    away = np.sqrt(u**2 + v**2)
    paint(echo, inside((1.05 - away) * np.float32(0.44), 0.03), 0.80)  # the capsule
    paint(echo, inside((0.98 - away) * np.float32(0.44), 0.03), cortex + 0.02 * smooth_noise(x.shape, (9, 9), rng))
    for angle in np.arange(PYRAMIDS) * 2 * np.pi / PYRAMIDS + rng.uniform(0, 0.5):
        spot = np.hypot(u - np.float32(0.66 * np.cos(angle)), v - np.float32(0.62 * np.sin(angle)))
        paint(echo, inside((0.19 - spot) * np.float32(0.44), 0.03), max(pyramid, 0.03))
    sinus = np.hypot(u / np.float32(0.50), v / np.float32(0.34))
    paint(echo, inside((1 - sinus) * np.float32(0.15), 0.05), 0.72 + 0.08 * smooth_noise(x.shape, (7, 7), rng))
    paint(echo, inside(-0.86 - y, 0.04), 0.70)  # skin
    return speckled(echo, y, rng)
