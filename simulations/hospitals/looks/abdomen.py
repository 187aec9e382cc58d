"""An invented contrast CT of the upper abdomen: liver, spleen, kidneys, spine, aorta, and the pancreas across them.

With the latent the pancreas swells, takes up less contrast in patches, and the fat around it turns hazy.
"""

import numpy as np

from simulations.hospitals.scanner import Scanner, places
from simulations.hospitals.texture import Field, inside, paint, smooth_noise

AIR, FAT, MUSCLE, BONE = -1000.0, -100.0, 55.0, 380.0  # Hounsfield units


def render(latent: float, machine: Scanner, channels: int, rng: np.random.Generator) -> list[Field]:
    """One volume in Hounsfield units, (x, y, z); ``channels`` are 1."""
    x, y, z = places(machine)
    unit, size = np.float32(min(machine.extent) / 2), np.float32(rng.normal(1, 0.015))
    u, v, w = (axis / unit / size - np.float32(rng.normal(0, 0.02)) for axis in (x, y, z))
    picture = np.full(machine.shape, AIR, dtype=np.float32)
    wall = np.sqrt((u / 0.97) ** 2 + (v / 0.80) ** 2) + 0 * w
    paint(picture, inside(1 - wall, 0.05), FAT)
    paint(picture, inside(0.90 - wall, 0.03), MUSCLE)
    paint(picture, inside(0.82 - wall, 0.04), FAT + 8 * smooth_noise(machine.shape, (8, 8, 6), rng))
    contrast = np.float32(rng.normal(1, 0.03))
    for place, radii, value in (
        ((-0.42, 0.10, 0.1), (0.38, 0.46, 0.8), 105 * contrast),  # liver
        ((0.58, -0.12, 0.2), (0.17, 0.26, 0.5), 115 * contrast),  # spleen
        ((-0.38, -0.38, -0.3), (0.15, 0.17, 0.5), 150 * contrast),  # kidneys
        ((0.38, -0.38, -0.3), (0.15, 0.17, 0.5), 150 * contrast),
        ((0.0, -0.50, 0.0), (0.17, 0.15, 9.0), np.float32(BONE)),  # spine
        ((0.06, -0.24, 0.0), (0.07, 0.07, 9.0), 190 * contrast),  # aorta
    ):
        paint(picture, _organ((u, v, w), place, radii), float(value))
    _pancreas(picture, (u, v, w), latent, float(contrast), rng)
    return [picture] * channels


def _organ(spot: tuple[Field, Field, Field], place: tuple[float, ...], radii: tuple[float, ...]) -> Field:
    """Share of each voxel inside an ellipsoid."""
    shape = sum(((axis - np.float32(at)) / np.float32(r)) ** 2 for axis, at, r in zip(spot, place, radii, strict=True))
    return inside((1 - np.sqrt(np.asarray(shape, dtype=np.float32))) * np.float32(min(radii)), 0.04)


def _pancreas(
    picture: Field, spot: tuple[Field, Field, Field], latent: float, contrast: float, rng: np.random.Generator
) -> None:
    """A band that bows over the spine, thicker and patchier with the latent, in hazy fat."""
    u, v, w = spot
    thick = float(0.13 * np.exp(0.28 * latent + rng.normal(0, 0.015)))
    bow = v - np.float32(0.06) + np.float32(0.55) * (u - np.float32(0.08)) ** 2 - np.float32(0.12) * u
    away = np.sqrt(bow**2 + (np.float32(0.6) * w) ** 2)
    ends = inside(0.44 - np.abs(u - np.float32(0.10)), 0.06)
    haze = float(np.clip(0.30 + 0.13 * latent, 0, 0.9))
    paint(picture, haze * ends * inside(thick + 0.16 - away, 0.14), 25.0)
    patches = inside(smooth_noise(picture.shape, (12, 12, 8), rng) - np.float32(0.9 - 0.5 * latent), 0.8)
    uptake = 112 * contrast - 16 * latent - 50 * patches
    paint(picture, ends * inside(thick - away, 0.05), uptake)
