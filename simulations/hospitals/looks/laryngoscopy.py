"""Invented white-light laryngoscopy: vocal folds around the dark glottis, and a lesion that shows the latent.

With the latent grow the lesion's size, its irregular outline, its whitish patches and its red vessels; how well a
picture shows it varies, and some hardly show it.
"""

from dataclasses import dataclass

import numpy as np

from simulations.hospitals.chance import stream
from simulations.hospitals.texture import Field, inside, lobed, smooth_noise, tint

MUCOSA, RIM, FOLD = (0.74, 0.40, 0.37), (0.66, 0.30, 0.28), (0.90, 0.77, 0.70)
MOUND, EPIGLOTTIS, GLOTTIS = (0.86, 0.54, 0.49), (0.84, 0.62, 0.54), (0.07, 0.03, 0.03)
KERATOSIS, EXOPHYTIC, DOT = (0.93, 0.86, 0.80), (0.66, 0.24, 0.24), (0.52, 0.08, 0.10)
FEWEST, MOST = 2, 6  # pictures a patient
APEX, BASE = 0.52, -0.48  # front and back end of the glottis


@dataclass(frozen=True)
class Camera:
    """A hospital's endoscope: pixels a side, colour gains, brightness, noise."""

    side: int
    colour: tuple[float, float, float]
    brightness: float
    noise: float


def camera(site: str, shift: float) -> Camera:
    """The endoscope of a hospital, by its name, the same in every study; ``shift`` as in ``device.py``."""
    rng = stream("camera", site)
    red, green, blue = (1 + shift * (float(gain) - 1) for gain in rng.normal(1.0, 0.035, size=3))
    side = int(rng.choice((64, 80, 96))) if shift else 80
    brightness, noise = rng.uniform(0.88, 1.08), rng.uniform(0.012, 0.03)
    return Camera(side, (red, green, blue), 0.98 + shift * (brightness - 0.98), 0.021 + shift * (noise - 0.021))


@dataclass(frozen=True)
class Lesion:
    """One patient's lesion, the same in all his pictures."""

    side: float
    along: float
    radius: float
    irregular: float
    white: float
    dots: int
    outline: int  # seed of the outline, so that all pictures show the same one


def lesion(latent: float, rng: np.random.Generator) -> Lesion:
    """A lesion from the latent, each property with a spread of its own."""
    return Lesion(
        side=float(rng.choice((-1.0, 1.0))),
        along=rng.uniform(-0.2, 0.2),
        radius=float(0.195 * np.exp(0.36 * latent + rng.normal(0, 0.04))),
        irregular=float(0.12 * np.exp(0.30 * latent)),
        white=float(0.25 + 0.30 * latent + rng.normal(0, 0.2)),
        dots=int(np.clip(rng.poisson(5 * np.exp(0.45 * latent)), 0, 30)),
        outline=int(rng.integers(2**32)),
    )


def render(latent: float, device: Camera, rng: np.random.Generator) -> list[np.ndarray]:
    """Two to six pictures of a patient: uint8 (side, side, 3) each."""
    growth = lesion(latent, rng)
    return [_picture(growth, device, rng) for _ in range(rng.integers(FEWEST, MOST + 1))]


def _picture(growth: Lesion, device: Camera, rng: np.random.Generator) -> np.ndarray:
    u, v, radial = _view(device.side, rng)
    grain = smooth_noise((device.side, device.side), (6, 6), rng)
    canvas = np.ones((device.side, device.side, 3), dtype=np.float32) * np.array(MUCOSA, dtype=np.float32)
    canvas *= 1 + np.float32(0.07) * grain[..., None]
    _anatomy(canvas, u, v, rng)
    _vessels(canvas, u, v, rng)
    visible = rng.uniform(0.1, 0.4) if rng.random() < 0.15 else rng.uniform(0.85, 1.0)
    _growth(canvas, (u, v), growth, float(visible), rng)
    return _exposed(canvas, u, v, radial, device, rng)


def _view(side: int, rng: np.random.Generator) -> tuple[Field, Field, Field]:
    """The larynx's own frame for each pixel (u to one side, v to the front), and the distance from the lens' axis."""
    axis = np.linspace(-1, 1, side, dtype=np.float32)
    down, right = np.meshgrid(axis, axis, indexing="ij")
    radial = np.hypot(right, down)
    turn, zoom = np.float32(np.radians(rng.normal(0, 12))), np.float32(rng.uniform(0.94, 1.07))
    right, down = right - np.float32(rng.normal(0, 0.07)), down - np.float32(rng.normal(0, 0.07))
    u = (right * np.cos(turn) + down * np.sin(turn)) / zoom
    v = (down * np.cos(turn) - right * np.sin(turn)) / zoom
    return u, v, radial


def _anatomy(canvas: Field, u: Field, v: Field, rng: np.random.Generator) -> None:
    """False folds, epiglottis, arytenoids, vocal folds, and the glottis between them."""
    opening = rng.uniform(0.20, 0.31)
    half = np.clip(opening * (APEX - v) / (APEX - BASE), 0, None)
    length = inside(np.minimum(APEX + 0.05 - v, v - BASE + 0.02), 0.08)
    beside = np.abs(u) - half
    tint(canvas, 0.8 * inside(0.10 - np.abs(beside - 0.30), 0.12) * length, RIM)
    crescent = 0.14 - np.abs(np.hypot(u, v + 0.35) - 1.15)
    tint(canvas, inside(crescent, 0.08) * inside(v - 0.45, 0.1), EPIGLOTTIS)
    tint(canvas, inside(np.minimum(0.17 - beside, beside + 0.02), 0.04) * length, FOLD)
    tint(canvas, inside(-beside, 0.05) * inside(np.minimum(APEX - v, v - BASE), 0.05), GLOTTIS)
    for side in (-1, 1):
        tint(canvas, 0.8 * inside(0.19 - np.hypot(u - side * (opening + 0.04), 1.2 * (v + 0.58)), 0.12), MOUND)


def _vessels(canvas: Field, u: Field, v: Field, rng: np.random.Generator) -> None:
    """A few fine vessels of healthy mucosa."""
    for _ in range(rng.integers(2, 6)):
        start, slope, wave, phase = rng.uniform(-0.9, 0.9), rng.normal(0, 0.4), rng.uniform(3, 7), rng.uniform(0, 6)
        line = np.abs(v - start - slope * u - 0.06 * np.sin(wave * u + phase))
        tint(canvas, 0.45 * inside(0.012 - line, 0.03), DOT)


def _growth(
    canvas: Field, places: tuple[Field, Field], growth: Lesion, visible: float, rng: np.random.Generator
) -> None:
    """Exophytic tissue with whitish patches and red dots, on the edge of one vocal fold."""
    u, v = places[0] - np.float32(growth.side * 0.2), places[1] - np.float32(growth.along)
    own = np.random.default_rng(growth.outline)
    outline = growth.radius * lobed(np.arctan2(v, u), growth.irregular, own)
    share = visible * inside(outline - np.hypot(u, v), 0.05)
    tint(canvas, 0.85 * share, EXOPHYTIC)
    patches = smooth_noise(share.shape, (12, 12), rng)
    tint(canvas, 0.9 * share * inside(patches + np.float32(growth.white), 1.2), KERATOSIS)
    relief = smooth_noise(share.shape, (20, 20), rng) * (0.08 + 0.3 * growth.irregular)
    canvas *= 1 + (share * relief)[..., None]
    for _ in range(growth.dots):
        angle, far = own.uniform(0, 2 * np.pi), growth.radius * np.sqrt(own.uniform(0, 1))
        spot = np.hypot(u - np.float32(far * np.cos(angle)), v - np.float32(far * np.sin(angle)))
        tint(canvas, visible * inside(0.022 - spot, 0.03), DOT)


def _exposed(canvas: Field, u: Field, v: Field, radial: Field, device: Camera, rng: np.random.Generator) -> np.ndarray:
    """Light that falls off to the rim, wet highlights, the lens' circle, the camera's colours and noise."""
    light = device.brightness * rng.uniform(0.85, 1.1) * (1.08 - 0.42 * radial**2)
    shown = canvas * light[..., None].astype(np.float32)
    for _ in range(rng.integers(1, 5)):
        spot = np.hypot(u - np.float32(rng.uniform(-0.6, 0.6)), v - np.float32(rng.uniform(-0.6, 0.6)))
        shown += (0.7 * np.exp(-0.5 * (spot / 0.022) ** 2))[..., None]
    shown[1:-1, 1:-1] = 0.5 * shown[1:-1, 1:-1] + 0.125 * (
        shown[:-2, 1:-1] + shown[2:, 1:-1] + shown[1:-1, :-2] + shown[1:-1, 2:]
    )  # the lens' blur
    shown *= np.array(device.colour, dtype=np.float32) * np.float32(1) + rng.normal(0, 0.015, 3).astype(np.float32)
    shown += device.noise * rng.standard_normal(shown.shape, dtype=np.float32)
    shown = np.clip(shown, 0, 1) * inside(0.96 - radial, 0.04)[..., None]
    return np.round(shown * 255).astype(np.uint8)
