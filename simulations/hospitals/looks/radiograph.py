"""An invented chest radiograph, upright: lungs, ribs, spine, diaphragm, and the heart.

With the latent the heart widens, and the hila and the lower zones turn hazy.
"""

import numpy as np

from simulations.hospitals.texture import Field, inside, paint, plane, smooth_noise


def render(latent: float, side: int, count: int, rng: np.random.Generator) -> list[Field]:
    """``count`` radiographs of one patient, (side, side) each, in [0, 1]; bone is bright."""
    body = rng.normal(0, 1, size=3)
    return [_view(latent, body, side, rng) for _ in range(count)]


def _view(latent: float, body: np.ndarray, side: int, rng: np.random.Generator) -> Field:
    x, y = plane(side)
    x = (x - np.float32(rng.normal(0, 0.015))) / np.float32(1 + 0.02 * body[0])
    y = (y - np.float32(rng.normal(0, 0.02))) / np.float32(1 + 0.02 * body[1])
    film = np.full((side, side), 0.04, dtype=np.float32)
    shoulder = np.float32(0.93) - np.float32(0.28) * np.clip(-y - np.float32(0.55), 0, 1) * 2
    paint(film, inside(shoulder - np.abs(x), 0.05), 0.62 + 0.04 * smooth_noise(x.shape, (5, 5), rng))
    lungs = _lungs(x, y, float(body[2]))
    field = 0.20 + 0.035 * smooth_noise(x.shape, (14, 14), rng)
    paint(film, lungs, field)
    _markings(film, x, y, lungs, latent)
    _bones(film, x, y, lungs, rng)
    _heart(film, x, y, latent, rng)
    return np.clip(film, 0, 1)


def _lungs(x: Field, y: Field, dome: float) -> Field:
    """Share of each pixel that is lung: two domes, cut below by the diaphragm, higher on the left of the picture."""
    both = np.zeros_like(x)
    for hand in (-1.0, 1.0):
        u = x - np.float32(hand * 0.42)
        wide = np.float32(0.34) - np.float32(0.10) * np.clip(-y - np.float32(0.2), 0, 1)
        depth = (1 - np.sqrt((u / wide) ** 2 + ((y + 0.02) / 0.80) ** 2)) * 0.34
        floor = np.float32(0.50 + 0.02 * dome + 0.03 * hand) + np.float32(0.9) * (np.abs(u) - 0.05) ** 2 - y
        both = np.maximum(both, inside(depth, 0.06) * inside(floor, 0.04))
    return both


def _markings(film: Field, x: Field, y: Field, lungs: Field, latent: float) -> None:
    """Vessels of the hila, and haze towards the bases."""
    hila = sum(np.exp(-0.5 * (((x - hand * 0.22) / 0.10) ** 2 + ((y + 0.05) / 0.20) ** 2)) for hand in (-1, 1))
    film += lungs * np.float32(0.10 + 0.035 * latent) * np.asarray(hila, dtype=np.float32)
    base = np.clip((y + np.float32(0.1)) / np.float32(0.7), 0, 1)
    film += lungs * base * np.float32(np.clip(0.09 + 0.045 * latent, 0, 0.4))


def _bones(film: Field, x: Field, y: Field, lungs: Field, rng: np.random.Generator) -> None:
    """Ribs that fall outwards, collar bones, spine."""
    phase, tilt = rng.uniform(0, 0.17), rng.uniform(0.30, 0.40)
    bow = y + np.float32(tilt) * (np.abs(x) - np.float32(0.55)) ** 2 * np.float32(2.2) - np.float32(0.1) * np.abs(x)
    distance = np.abs((bow + np.float32(phase)) % np.float32(0.175) - np.float32(0.0875))
    chest = inside(np.float32(0.86) - np.abs(x), 0.08) * inside(np.float32(0.6) - y, 0.1) * inside(y + 0.85, 0.05)
    film += np.float32(0.085) * inside(0.026 - distance, 0.02) * chest * (0.35 + 0.65 * lungs)
    collar = np.abs(y + np.float32(0.70) + np.float32(0.16) * np.abs(x))
    film += np.float32(0.13) * inside(0.028 - collar, 0.02) * inside(np.float32(0.72) - np.abs(x), 0.05)
    spine = inside(np.float32(0.085) - np.abs(x), 0.04)
    discs = np.cos(y * np.float32(2 * np.pi / 0.155)) * np.float32(0.03)
    film += spine * (np.float32(0.16) + discs)


def _heart(film: Field, x: Field, y: Field, latent: float, rng: np.random.Generator) -> None:
    """The heart's shadow with the arch of the aorta; its width follows the latent."""
    wide = np.float32(0.35 * np.exp(0.13 * latent + rng.normal(0, 0.015)))
    u, v = x - np.float32(0.11) - (wide - np.float32(0.35)) * np.float32(0.5), y - np.float32(0.30)
    turned_u, turned_v = u * np.float32(0.88) + v * np.float32(0.47), v * np.float32(0.88) - u * np.float32(0.47)
    depth = (1 - np.sqrt((turned_u / wide) ** 2 + (turned_v / np.float32(0.25)) ** 2)) * np.float32(0.25)
    paint(film, 0.88 * inside(depth, 0.05), 0.72)
    base = np.float32(0.13) + np.float32(0.20) * np.clip(y + np.float32(0.15), 0, 0.45)
    root = inside(base - np.abs(x - np.float32(0.03)), 0.05) * inside(y + np.float32(0.15), 0.1)
    paint(film, 0.8 * root * inside(np.float32(0.5) - y, 0.1), 0.70)
    arch = np.float32(0.10) - np.hypot(x - np.float32(0.09), (y + np.float32(0.33)) * np.float32(0.8))
    paint(film, 0.6 * inside(arch, 0.05), 0.70)
    stem = inside(np.float32(0.13) - np.abs(x - np.float32(0.02)), 0.06) * inside(np.float32(0.3) - y, 0.1)
    paint(film, 0.55 * stem * inside(y + 0.45, 0.2), 0.66)
    wind = inside(np.float32(0.035) - np.abs(x), 0.03) * inside(-0.2 - y, 0.1)
    paint(film, 0.5 * wind, 0.45)
