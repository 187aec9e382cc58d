"""An invented clinical photograph: skin with hairs, and a pigmented lesion.

With the latent the lesion grows, darkens, and its outline and colour become uneven.
"""

import numpy as np

from simulations.hospitals.texture import Field, inside, lobed, plane, smooth_noise, tint

LIGHT, DARK = (0.90, 0.70, 0.60), (0.62, 0.42, 0.31)  # skin
BROWN, BLACK, RED = (0.52, 0.31, 0.20), (0.15, 0.10, 0.10), (0.70, 0.30, 0.26)


def render(latent: float, side: int, count: int, rng: np.random.Generator) -> list[Field]:
    """``count`` photographs of one lesion, (side, side, 3) each, in [0, 1]."""
    tone, outline = rng.uniform(0, 0.45), int(rng.integers(2**32))
    radius = float(0.27 * np.exp(0.27 * latent + rng.normal(0, 0.02)))
    return [_view(latent, radius, (tone, outline), side, rng) for _ in range(count)]


def _view(latent: float, radius: float, own: tuple[float, int], side: int, rng: np.random.Generator) -> Field:
    tone, outline = own
    x, y = plane(side)
    skin = (1 - tone) * np.array(LIGHT) + tone * np.array(DARK)
    canvas = np.ones((side, side, 3), dtype=np.float32) * skin.astype(np.float32)
    canvas *= 1 + np.float32(0.04) * smooth_noise(x.shape, (5, 5), rng)[..., None]
    canvas *= 1 + np.float32(0.03) * smooth_noise(x.shape, (side // 3, side // 3), rng)[..., None]
    turn = np.float32(rng.uniform(0, 2 * np.pi))
    u, v = x - np.float32(rng.normal(0, 0.06)), y - np.float32(rng.normal(0, 0.06))
    shape = lobed(np.arctan2(v, u) + turn, 0.07 * np.exp(0.35 * latent), np.random.default_rng(outline))
    share = inside(radius * shape - np.hypot(u, v), 0.06)
    tint(canvas, 0.85 * share, BROWN)
    patches = smooth_noise(x.shape, (9, 9), rng)
    tint(canvas, 0.9 * share * inside(patches + np.float32(0.55 * latent - 0.1), 1.0), BLACK)
    tint(canvas, 0.6 * share * inside(-patches - np.float32(1.4 - 0.3 * latent), 0.8), RED)
    for _ in range(rng.integers(2, 7)):
        start, slope, bend = rng.uniform(-1, 1), rng.normal(0, 0.8), rng.normal(0, 0.25)
        line = np.abs(x - np.float32(start) - np.float32(slope) * y - np.float32(bend) * y * y)
        tint(canvas, 0.6 * inside(0.004 - line, 0.018), (0.25, 0.17, 0.13))
    light = 1 + np.float32(rng.normal(0, 0.06)) * x + np.float32(rng.normal(0, 0.06)) * y
    return np.clip(canvas * light[..., None], 0, 1)
