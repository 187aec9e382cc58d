"""An invented periapical radiograph: teeth with crowns, roots and pulp in spongy bone.

With the latent one moves along the dental arch from the incisors to the molars: teeth get wider, shorter and fewer,
roots part in two, and the film's bone gets denser.
"""

import numpy as np

from simulations.hospitals.texture import Field, inside, paint, plane, smooth_noise


def render(latent: float, side: int, count: int, rng: np.random.Generator) -> list[Field]:
    """``count`` films of one place, (side, side) each, in [0, 1]; enamel is bright."""
    return [_film(latent, side, rng) for _ in range(count)]


def _film(latent: float, side: int, rng: np.random.Generator) -> Field:
    x, y = plane(side)
    turn = np.float32(rng.normal(0, 0.05))
    u, v = x + turn * y, y - turn * x
    film = 0.36 + 0.035 * latent + 0.05 * smooth_noise((side, side), (side // 5, side // 5), rng)
    paint(film, inside(-0.35 - v + np.float32(0.04) * smooth_noise((side, side), (4, 4), rng), 0.08), 0.07)
    wide = float(0.20 * np.exp(0.26 * latent + rng.normal(0, 0.02)))
    middle = float(rng.uniform(-0.5, 0.5)) * wide
    for number in range(-6, 7):
        centre = middle + number * 2.15 * wide
        if abs(centre) < 1 + wide:
            _tooth(film, u - np.float32(centre), v, wide, latent)
    return np.asarray(np.clip(film, 0, 1), dtype=np.float32)


def _tooth(film: Field, u: Field, v: Field, wide: float, latent: float) -> None:
    """Crown above, roots below, the darker pulp inside."""
    crown = np.maximum(np.abs(u) / np.float32(wide), np.abs(v + np.float32(0.52)) / np.float32(0.26))
    paint(film, inside((1 - crown) * np.float32(0.2), 0.05), 0.86)
    apart = float(np.clip(0.28 + 0.16 * latent, 0.0, 0.6)) * wide
    long = 0.95 - 0.06 * latent
    for hand in (-1.0, 1.0):
        down = np.clip((v + np.float32(0.3)) / np.float32(long), 0, 1)
        axis = np.abs(u - np.float32(hand * apart) * (np.float32(0.4) + np.float32(0.6) * down))
        thick = np.float32(0.55 * wide) * (np.float32(1.0) - np.float32(0.75) * down)
        inside_root = inside(thick - axis, 0.04) * inside(np.float32(long - 0.3) - v, 0.05) * inside(v + 0.34, 0.05)
        paint(film, inside_root, 0.66)
        paint(film, 0.7 * inside(np.float32(0.14 * wide) - axis, 0.03) * inside_root, 0.45)
