"""An invented MRI of the breast: skin, fat, glandular tissue, and a lesion that takes up contrast over the sequences.

With the latent the lesion grows, its edge gets spikes, and its contrast rises faster and washes out.
In order: T2, T1, and the phases after contrast; one alone is a phase after contrast.
"""

import numpy as np

from simulations.hospitals.scanner import Scanner, places
from simulations.hospitals.texture import Field, inside, lobed, paint, smooth_noise


def render(latent: float, machine: Scanner, channels: int, rng: np.random.Generator) -> list[Field]:
    """``channels`` volumes of signal intensity, 0 to about 1000, (x, y, z) each."""
    return _sequences(latent, machine, list(range(channels)) if channels > 2 else [2, 2][:channels], rng)


def render_t2(latent: float, machine: Scanner, channels: int, rng: np.random.Generator) -> list[Field]:
    """T2 alone."""
    return _sequences(latent, machine, [0], rng)


def render_t1(latent: float, machine: Scanner, channels: int, rng: np.random.Generator) -> list[Field]:
    """T1 before contrast, alone."""
    return _sequences(latent, machine, [1], rng)


def _sequences(latent: float, machine: Scanner, numbers: list[int], rng: np.random.Generator) -> list[Field]:
    x, y, z = places(machine)
    unit = np.float32(min(machine.extent) / 2)
    u, v, w = x / unit, y / unit, z / unit
    breast = inside(1 - np.sqrt((u / 0.92) ** 2 + ((v + 0.75) / 1.6) ** 2 + (w / 1.05) ** 2), 0.05)
    gland = inside(smooth_noise(machine.shape, (6, 6, 5), rng) + np.float32(0.4 - 0.9 * rng.random()), 1.0)
    gland *= inside(0.72 - np.sqrt(u**2 + (v + 0.1) ** 2 + w**2), 0.3)
    chest = inside(-0.78 - v + np.float32(0.1) * u**2, 0.05) + 0 * w
    share, rim = _lesion((u, v, w), latent, machine.shape, rng)
    rise = float(330 + 85 * latent + rng.normal(0, 12))
    volumes = []
    for number in numbers:
        fat, tissue, muscle, lump = _signal(number, max(numbers), rise, latent)
        picture = np.full(machine.shape, 8.0, dtype=np.float32)
        paint(picture, breast, fat + 25 * smooth_noise(machine.shape, (8, 8, 6), rng))
        paint(picture, breast * gland, tissue)
        paint(picture, np.asarray(chest, dtype=np.float32), muscle)
        paint(picture, share, lump * (1 + 0.25 * rim))
        volumes.append(picture)
    return volumes


def _lesion(
    spot: tuple[Field, Field, Field], latent: float, shape: tuple[int, int, int], rng: np.random.Generator
) -> tuple[Field, Field]:
    """Share of each voxel that is lesion, and how near to its rim it lies."""
    u, v, w = (axis - np.float32(rng.normal(0, 0.07)) for axis in spot)
    radius = float(0.24 * np.exp(0.26 * latent + rng.normal(0, 0.03)))
    waves = lobed(np.arctan2(v, u + 0 * w), 0.08 * np.exp(0.3 * latent), rng) - 1
    outline = 1 + waves * np.sqrt((u**2 + v**2) / (u**2 + v**2 + w**2 + np.float32(1e-6)))  # none at the poles
    distance = np.sqrt(u**2 + v**2 + w**2) / outline
    rim = np.exp(-0.5 * ((distance - np.float32(0.85 * radius)) / np.float32(0.2 * radius)) ** 2)
    return inside(radius - distance, 0.05) * np.ones(shape, dtype=np.float32), rim


def _signal(number: int, last: int, rise: float, latent: float) -> tuple[float, float, float, float]:
    """Fat, gland, muscle and lesion in a sequence: T2, T1, then early to late phases with fat suppressed."""
    if number == 0:
        return 260.0, 400.0, 160.0, 560.0 + 25 * latent
    if number == 1:
        return 620.0, 300.0, 240.0, 250.0
    phase = (number - 2) / max(1, last - 2)
    wash = 1 + (0.15 - 0.11 * latent) * phase  # persistent or washed out
    return 95.0, 190.0 + 50 * phase, 170.0, 190.0 + max(rise, 10.0) * wash
