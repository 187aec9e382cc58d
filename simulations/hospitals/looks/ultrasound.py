"""An invented ultrasound picture of a superficial lump: skin, fat, layered muscle, speckle, and the lump.

With the latent the lump grows, turns darker, rounder and more uneven at its edge, and casts more of a shadow.
"""

import numpy as np

from simulations.hospitals.texture import Field, inside, lobed, paint, plane, smooth_noise


def render(latent: float, side: int, count: int, rng: np.random.Generator) -> list[Field]:
    """``count`` views of one lump, (side, side) each, in [0, 1]."""
    lump = {
        "radius": float(0.25 * np.exp(0.28 * latent + rng.normal(0, 0.02))),
        "echo": float(np.clip(0.23 - 0.045 * latent + rng.normal(0, 0.006), 0.03, 0.5)),
        "edge": float(0.07 * np.exp(0.3 * latent)),
        "shadow": float(np.clip(0.25 + 0.12 * latent, 0, 0.7)),
        "dots": float(3 * np.exp(0.5 * latent)),
    }
    outline = int(rng.integers(2**32))
    return [_view(lump, outline, side, rng) for _ in range(count)]


def _view(lump: dict[str, float], outline: int, side: int, rng: np.random.Generator) -> Field:
    x, y = plane(side)
    echo = _tissue(x, y, rng)
    own = np.random.default_rng(outline)
    u, v = x - np.float32(rng.normal(0, 0.06)), (y - np.float32(rng.normal(0.05, 0.05))) * np.float32(1.15)
    depth = lump["radius"] * lobed(np.arctan2(v, u), lump["edge"], own) - np.hypot(u, v)
    below = inside(np.float32(0.8 * lump["radius"]) - np.abs(u), 0.08) * inside(v, 0.1)
    echo *= 1 - np.float32(lump["shadow"]) * below
    paint(echo, inside(depth, 0.05), lump["echo"])
    for _ in range(min(rng.poisson(lump["dots"]), 25)):
        angle, far = rng.uniform(0, 2 * np.pi), 0.8 * lump["radius"] * np.sqrt(rng.uniform())
        spot = np.hypot(u - np.float32(far * np.cos(angle)), v - np.float32(far * np.sin(angle)))
        paint(echo, inside(0.016 - spot, 0.02), 0.85)
    return speckled(echo, y, rng)


def speckled(echo: Field, depth: Field, rng: np.random.Generator) -> Field:
    """An echo as the probe shows it: with speckle, wider than deep, and weaker with depth."""
    grain = np.sqrt(rng.standard_normal((2, *echo.shape), dtype=np.float32).__pow__(2).sum(0) / 2)  # Rayleigh
    grain = (grain + np.roll(grain, 1, 1) + np.roll(grain, -1, 1)) / 3
    gain = np.float32(1.08) - np.float32(0.3) * (depth + 1) / 2
    return np.asarray(np.clip(echo * grain * np.float32(1.15) * gain, 0, 1), dtype=np.float32)


def _tissue(x: Field, y: Field, rng: np.random.Generator) -> Field:
    """Echo of skin, fat with its septa, fascia and striped muscle."""
    side = len(x)
    bend = np.float32(0.04) * smooth_noise(x.shape, (2, 3), rng)
    depth = y + bend
    echo = np.float32(0.42) + np.float32(0.05) * smooth_noise(x.shape, (6, 3), rng)
    stripes = np.sin(depth * np.float32(rng.uniform(26, 34)) + smooth_noise(x.shape, (3, 5), rng))
    echo += np.float32(0.07) * stripes * inside(depth + 0.35, 0.1)
    fat = inside(-0.5 - depth, 0.04)
    paint(echo, fat, 0.26 + 0.06 * smooth_noise((side, side), (10, 8), rng))
    for place in (-0.5, -0.42 + rng.normal(0, 0.02), 0.78 + rng.normal(0, 0.05)):
        paint(echo, 0.8 * inside(0.014 - np.abs(depth - np.float32(place)), 0.03), 0.85)
    paint(echo, inside(-0.88 - depth, 0.03), 0.75)
    return echo
