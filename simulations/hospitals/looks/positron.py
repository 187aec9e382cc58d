"""An invented PET of the pelvis, with or without its CT: bladder, bones, muscle, prostate, and a node beside a vessel.

With the latent rise the uptake of prostate and node, and the node's size. Values of PET are SUV.
"""

import numpy as np

from simulations.hospitals.scanner import Scanner, places
from simulations.hospitals.texture import Field, inside, paint, smooth_noise

Spot = tuple[Field, Field, Field]


def render(latent: float, machine: Scanner, channels: int, rng: np.random.Generator) -> list[Field]:
    """(x, y, z) each: PET alone, or PET and then CT (Hounsfield units)."""
    x, y, z = places(machine)
    unit = np.float32(min(machine.extent) / 2)
    spot = (x / unit, y / unit, z / unit)
    size = np.float32(rng.normal(1, 0.03))
    u, v, w = (axis / size - np.float32(rng.normal(0, 0.02)) for axis in spot)
    shares = _anatomy((u, v, w), latent, rng)
    suv = np.full(machine.shape, 0.02, dtype=np.float32)
    hot = float(3.4 * np.exp(0.42 * latent + rng.normal(0, 0.04)))
    for name, uptake in (
        ("body", 0.55),
        ("muscle", 0.75),
        ("bone", 0.9),
        ("bladder", float(rng.uniform(6, 8))),
        ("prostate", hot),
        ("node", 0.8 * hot),
    ):
        paint(suv, shares[name], uptake * (1 + 0.08 * smooth_noise(machine.shape, (8, 8, 6), rng)))
    if channels == 1:
        return [suv]
    ct = np.full(machine.shape, -1000.0, dtype=np.float32)
    for name, value in (
        ("body", -95.0),
        ("muscle", 55.0),
        ("bone", 420.0),
        ("bladder", 8.0),
        ("prostate", 42.0),
        ("node", 48.0),
    ):
        paint(ct, shares[name], value)
    return [suv, ct, *[ct] * (channels - 2)]


def _anatomy(spot: Spot, latent: float, rng: np.random.Generator) -> dict[str, Field]:
    """Share of each voxel by tissue, from the outside in."""
    u, v, w = spot
    muscles = [_ball((u - np.float32(hand * 0.52), v + np.float32(0.22), w * 0), 0.30) for hand in (-1, 1)]
    bones = [_ball((u - np.float32(hand * 0.66), v - np.float32(0.02), w), 0.24) for hand in (-1, 1)]
    sacrum = _ball((u, (v + np.float32(0.60)) * np.float32(1.4), w * np.float32(0.4)), 0.20)
    node, hand = float(0.075 * np.exp(0.25 * latent + rng.normal(0, 0.03))), rng.choice((-1.0, 1.0))
    return {
        "body": inside(1 - np.sqrt((u / 0.98) ** 2 + (v / 0.86) ** 2) + 0 * w, 0.05),
        "muscle": np.maximum(*muscles),
        "bone": np.maximum(np.maximum(*bones), sacrum),
        "bladder": _ball((u, v - np.float32(0.30), w - np.float32(0.66)), float(rng.uniform(0.22, 0.28))),
        "prostate": _ball((u, v - np.float32(0.04), (w + np.float32(0.05)) * np.float32(1.1)), 0.25),
        "node": _ball((u - np.float32(hand * 0.36), v + np.float32(0.02), w - np.float32(rng.normal(0.0, 0.05))), node),
    }


def _ball(spot: Spot, radius: float) -> Field:
    u, v, w = spot
    return inside(radius - np.sqrt(u**2 + v**2 + w**2), 0.07)
