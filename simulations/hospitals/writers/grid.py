"""Writes a sequence of radar fields as one NumPy file: rain cells that drift, grow with the latent, and rain harder."""

import numpy as np
from numpy.typing import NDArray

from shared.modalities.grid import Grid
from simulations.hospitals.device import device
from simulations.hospitals.writers.sight import Files, Sight

CELLS = 4


def write_grid(spec: Grid, sight: Sight) -> Files:
    """(frames, channels, height, width) float32 in the study's range; every channel shows the same field."""
    path = f"{sight.name}/{sight.unit}.npy"
    low, high = spec.range
    machine = device("radar", sight.site, sight.scanner)
    field = _rain(spec, sight.latent, sight.rng) * machine.gain
    field += machine.noise * sight.rng.standard_normal(field.shape)
    whole = np.repeat(np.clip(field, 0, 1)[:, None], spec.size[0], axis=1)
    np.save(sight.place(path), (low + (high - low) * whole).astype(np.float32))
    return Files({spec.path: path})


def _rain(spec: Grid, latent: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """(frames, height, width) in [0, 1]: cells with one wind, stronger towards the last frame the higher the latent."""
    _, height, width = spec.size
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    time = np.linspace(-1, 0, spec.frames)[:, None, None]
    wind = rng.normal(0, 0.35, 2)
    strength = np.exp(0.30 * latent + rng.normal(0, 0.03))
    field = np.zeros((spec.frames, height, width))
    for _ in range(CELLS):
        place, size = rng.uniform(-0.6, 0.6, 2), 0.26 * np.exp(0.12 * latent + rng.normal(0, 0.08))
        along = (x - place[0] - wind[0] * time) ** 2 / rng.uniform(0.8, 1.6)
        across = (y - place[1] - wind[1] * time) ** 2
        growth = 1 + (0.25 + 0.12 * latent) * time
        field += 0.26 * strength * np.clip(growth, 0.1, None) * np.exp(-(along + across) / (2 * size**2))
    return field
