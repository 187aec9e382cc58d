"""An invented CT of the lung around a nodule: lung, vessels, chest wall, and the nodule from ground glass to solid.

With the latent the nodule grows, turns denser and gets a solid part, and its outline gets lobes and spikes.
"""

import numpy as np

from simulations.hospitals.scanner import Scanner, places
from simulations.hospitals.texture import Field, inside, lobed, paint, smooth_noise

LUNG, WALL, BLOOD = -860.0, 40.0, 35.0  # Hounsfield units


def render(latent: float, machine: Scanner, channels: int, rng: np.random.Generator) -> list[Field]:
    """One volume in Hounsfield units, (x, y, z)."""
    x, y, z = places(machine)
    unit = np.float32(min(machine.extent) / 2)
    u, v, w = x / unit, y / unit, z / unit
    picture = LUNG + 22 * smooth_noise(machine.shape, (9, 9, 7), rng)
    _vessels(picture, (u, v, w), rng)
    away, turn = rng.uniform(0.72, 0.95), rng.uniform(0, 2 * np.pi)
    wall = u * np.float32(np.cos(turn)) + v * np.float32(np.sin(turn)) - np.float32(away)
    curved = wall + np.float32(0.12) * (w**2) + np.float32(0.03) * smooth_noise(machine.shape, (3, 3, 2), rng)
    paint(picture, inside(curved, 0.06), WALL)
    rib = np.abs((w + np.float32(0.4) * u + np.float32(rng.uniform(0, 0.7))) % np.float32(0.7) - np.float32(0.35))
    paint(picture, inside(curved - 0.08, 0.05) * inside(0.13 - rib, 0.06), 320.0)
    _nodule(picture, (u, v, w), latent, rng)
    return [picture] * channels


def _vessels(picture: Field, spot: tuple[Field, Field, Field], rng: np.random.Generator) -> None:
    """A few branches that cross the field, thinner the further they go."""
    u, v, w = spot
    for _ in range(5):
        way, start = rng.normal(size=3), rng.uniform(-0.7, 0.7, size=3)
        way /= np.linalg.norm(way)
        du, dv, dw = (axis - np.float32(at) for axis, at in zip((u, v, w), start, strict=True))
        along = du * np.float32(way[0]) + dv * np.float32(way[1]) + dw * np.float32(way[2])
        far = np.sqrt(np.maximum(du**2 + dv**2 + dw**2 - along**2, 0))
        wide = np.float32(rng.uniform(0.035, 0.075)) * (1 - np.float32(0.35) * along)
        paint(picture, inside(wide - far, 0.05), BLOOD)


def _nodule(picture: Field, spot: tuple[Field, Field, Field], latent: float, rng: np.random.Generator) -> None:
    """Ground glass with a solid part inside; a halo at its edge."""
    u, v, w = (axis - np.float32(rng.normal(0, 0.05)) for axis in spot)
    radius = float(0.30 * np.exp(0.24 * latent + rng.normal(0, 0.02)))
    waves = lobed(np.arctan2(v, u + 0 * w), 0.07 * np.exp(0.3 * latent), rng) - 1
    outline = 1 + waves * np.sqrt((u**2 + v**2) / (u**2 + v**2 + w**2 + np.float32(1e-6)))  # none at the poles
    outline = outline * (1 + np.float32(0.05 * np.exp(0.35 * latent)) * smooth_noise(picture.shape, (12, 12, 10), rng))
    distance = np.sqrt(u**2 + v**2 + w**2)
    grain = 45 * smooth_noise(picture.shape, (14, 14, 10), rng)
    glass = np.clip(-430 + 95 * latent + rng.normal(0, 15), -780, -60)
    paint(picture, inside(radius * outline - distance, 0.09), np.float32(glass) + grain)
    solid = radius * float(np.clip(0.42 + 0.16 * latent, 0.05, 0.92))
    paint(picture, inside(solid * outline - distance, 0.09), 30 + grain / 2)
