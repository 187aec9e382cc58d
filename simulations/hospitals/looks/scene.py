"""An invented snapshot outdoors: sky, sun or clouds, hills, trees.

With the latent the sky turns from blue to grey, the sun goes, the colours fade, and it rains.
"""

import numpy as np

from simulations.hospitals.texture import Field, inside, plane, smooth_noise, tint

BLUE, GREY, SUN = (0.45, 0.68, 0.95), (0.52, 0.54, 0.57), (1.0, 0.95, 0.65)
GREEN, DULL, TREE, RAIN = (0.38, 0.62, 0.26), (0.34, 0.37, 0.33), (0.16, 0.33, 0.14), (0.80, 0.82, 0.86)


def render(latent: float, side: int, count: int, rng: np.random.Generator) -> list[Field]:
    """``count`` snapshots of one day, (side, side, 3) each, in [0, 1]."""
    return [_snapshot(latent, side, rng) for _ in range(count)]


def _snapshot(latent: float, side: int, rng: np.random.Generator) -> Field:
    x, y = plane(side)
    gloom = np.float32(1 / (1 + np.exp(-0.9 * latent)))
    canvas = np.ones((side, side, 3), dtype=np.float32) * _between(BLUE, GREY, gloom)
    clouds = inside(smooth_noise(x.shape, (4, 5), rng) + np.float32(3.2) * (gloom - np.float32(0.6)), 1.4)
    shade = float(0.92 - 0.3 * gloom)
    tint(canvas, 0.7 * clouds, (shade, shade, shade))
    right, down = rng.uniform(-0.7, 0.7), rng.uniform(-0.8, -0.5)
    sun = inside(0.15 - np.hypot(x - np.float32(right), y - np.float32(down)), 0.08)
    tint(canvas, float(np.clip(1 - 1.3 * gloom, 0, 1)) * sun, SUN)
    ridge = np.float32(rng.uniform(0.0, 0.2)) + np.float32(0.12) * smooth_noise((1, side), (1, 4), rng)
    ground = inside(y - ridge, 0.03)
    soil = tuple(float(part) for part in _between(GREEN, DULL, gloom))
    tint(canvas, ground, (soil[0], soil[1], soil[2]))
    canvas *= 1 + np.float32(0.12) * (ground * smooth_noise(x.shape, (side // 4, side // 4), rng))[..., None]
    for place in rng.uniform(-0.9, 0.9, size=rng.integers(1, 5)):
        crown = np.float32(0.14) - np.hypot(x - np.float32(place), (y - np.float32(0.12)) * np.float32(0.7))
        tint(canvas, inside(crown, 0.05), TREE)
    drops = inside(
        np.sin((x + np.float32(0.25) * y) * side * np.float32(1.1)) * smooth_noise(x.shape, (9, 30), rng) - 1, 0.4
    )
    tint(canvas, float(np.clip(gloom - 0.45, 0, 1)) * drops, RAIN)
    return np.asarray(np.clip(canvas * (1.08 - 0.33 * gloom), 0, 1), dtype=np.float32)


def _between(one: tuple[float, float, float], other: tuple[float, float, float], share: np.float32) -> Field:
    return np.asarray((1 - share) * np.array(one) + share * np.array(other), dtype=np.float32)
