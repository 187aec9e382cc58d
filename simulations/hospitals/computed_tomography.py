"""An invented contrast CT of the neck: airway, cartilage, vessels, and a lesion that shows the latent.

With the latent grow the lesion's size, its contrast uptake, its unevenness, and the nearest lymph node.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from simulations.hospitals.texture import Field, inside, lobed, smooth_noise
from simulations.hospitals.truth import stream

FIELD_OF_VIEW = (104.0, 104.0, 100.0)  # mm
AIR, FAT, MUSCLE, BONE = -1000.0, -95.0, 58.0, 330.0  # Hounsfield units
LARYNX = np.float32(8.0)  # mm that the larynx lies in front of the neck's middle; the scan is centred on it


@dataclass(frozen=True)
class Scanner:
    """A hospital's scanner: voxel size (mm), noise (HU), offset and gain errors, and which axes it stores reversed."""

    spacing: tuple[float, float, float]
    noise: float
    offset: float
    gain: float
    flips: tuple[bool, bool, bool]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels that cover the field of view."""
        x, y, z = (round(extent / step) for extent, step in zip(FIELD_OF_VIEW, self.spacing, strict=True))
        return x, y, z


def scanner(site: str) -> Scanner:
    """The scanner of a hospital: a property of its name, the same in every study."""
    rng = stream("scanner", site)
    plane = float(np.round(rng.uniform(1.7, 2.2), 2))
    return Scanner(
        spacing=(plane, plane, float(np.round(rng.uniform(2.5, 4.0), 1))),
        noise=rng.uniform(9, 20),
        offset=rng.uniform(-12, 12),
        gain=rng.uniform(0.95, 1.05),
        flips=(bool(rng.random() < 0.5), bool(rng.random() < 0.5), False),
    )


def render(latent: float, machine: Scanner, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A volume in Hounsfield units, int16 (x, y, z), and its affine (voxel to millimetres, RAS+)."""
    x, y, z = _pose(machine, rng)
    picture = _neck(x, y, z, machine, rng)
    contrast = rng.normal(1.0, 0.07)
    _vessels(picture, x, y, z, contrast, rng)
    _larynx(picture, x, y, z, machine, rng)
    side = rng.choice((-1.0, 1.0))
    _lesion(picture, (x - np.float32(side * 6.5), y, z), latent, contrast, rng)
    _node(picture, (x - np.float32(side * 21), y, z), latent, contrast, rng)
    return _stored(picture, machine, rng)


@lru_cache(maxsize=8)
def _places(machine: Scanner) -> tuple[Field, Field, Field]:
    """Millimetres from the middle of the field of view, to the right, front and top."""
    axes = [
        ((np.arange(side) - (side - 1) / 2) * step).astype(np.float32)
        for side, step in zip(machine.shape, machine.spacing, strict=True)
    ]
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    return x, y, z


def _pose(machine: Scanner, rng: np.random.Generator) -> tuple[Field, Field, Field]:
    """Places in the patient's own frame: shifted, turned about the long axis, and scaled to his size."""
    x, y, z = _places(machine)
    size, turn = np.float32(rng.normal(1.0, 0.05)), np.float32(np.radians(rng.normal(0, 4)))
    right, front, top = (np.float32(rng.normal(0, spread)) for spread in (1.5, 2.0, 3.0))
    x, y, z = (x - right) / size, (y - front) / size + LARYNX, (z - top) / size
    return x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn), z


def _paint(picture: Field, share: Field, value: Field | float) -> None:
    """Cover a share of each voxel (partial volume) with a tissue's value."""
    picture += share * (value - picture)


def _round(x: Field, y: Field, place: tuple[float, float], radii: tuple[float, float]) -> Field:
    """Depth (mm) inside an elliptic cylinder."""
    distance = np.sqrt(((x - place[0]) / radii[0]) ** 2 + ((y - place[1]) / radii[1]) ** 2)
    return np.asarray((1 - distance) * min(radii), dtype=np.float32)


def _neck(x: Field, y: Field, z: Field, machine: Scanner, rng: np.random.Generator) -> Field:
    """Air, skin fat, muscle with fat planes, vertebra with its canal."""
    picture = np.full(machine.shape, AIR, dtype=np.float32)
    wide, deep = rng.normal(50, 2), rng.normal(47, 2)
    _paint(picture, inside(_round(x, y, (0, -4), (wide, deep)), 2), FAT)
    thickness = rng.uniform(3, 7)
    muscle = MUSCLE + 10 * smooth_noise(machine.shape, (9, 9, 5), rng)
    _paint(picture, inside(_round(x, y, (0, -4), (wide - thickness, deep - thickness)), 2), muscle)
    planes = smooth_noise(machine.shape, (6, 6, 3), rng)
    outer = inside(-_round(x, y, (0, 6), (19, 18)), 3) * inside(_round(x, y, (0, -4), (wide - 8, deep - 8)), 2)
    _paint(picture, outer * inside(planes - 1.3, 0.6), FAT)
    bone = BONE + 80 * smooth_noise(machine.shape, (10, 10, 8), rng)
    body = np.where(np.abs((z + rng.uniform(0, 19)) % 19 - 9.5) < 2.2, 85.0, bone)  # discs between the vertebrae
    _paint(picture, inside(_round(x, y, (0, -24), (13, 9)), 2), body)
    arch = inside(_round(x, y, (0, -37), (12, 9)), 2)
    _paint(picture, arch, bone)
    _paint(picture, inside(_round(x, y, (0, -37), (8, 5.5)), 2), 35.0)
    return picture


def _vessels(picture: Field, x: Field, y: Field, z: Field, contrast: float, rng: np.random.Generator) -> None:
    """Carotid artery and jugular vein on each side; the thyroid gland below, bright with iodine."""
    blood = 185 * contrast
    for side in (-1.0, 1.0):
        bend = side * (26 + 0.06 * z)
        _paint(picture, inside(_round(x - bend, y, (0, rng.normal(-9, 1)), (3.6, 3.6)), 2), blood)
        vein = rng.uniform(3.5, 6.5)
        _paint(picture, inside(_round(x - bend, y, (side * 6, rng.normal(-3, 1)), (vein, vein * 0.8)), 2), blood * 0.85)
        low = inside(np.float32(-23) - z, 3)
        _paint(picture, low * inside(_round(x, y, (side * 17, 3), (6.5, 9)), 2), 125 * contrast)


def _larynx(picture: Field, x: Field, y: Field, z: Field, machine: Scanner, rng: np.random.Generator) -> None:
    """Thyroid cartilage (a shield open to the back), cricoid ring, and the airway, narrow between the vocal folds."""
    ossified = 260 + 60 * smooth_noise(machine.shape, (12, 12, 9), rng)
    middle = 8.0
    distance = np.sqrt(x**2 + (y - middle) ** 2)
    shield = np.float32(1.2) - np.abs(distance - 16.5)
    front = inside(y - np.float32(1.0), 4) * inside(np.float32(13) - np.abs(z - 1), 3)
    _paint(picture, inside(shield, 1.6) * front, ossified)
    cricoid = inside(np.float32(1.6) - np.abs(distance - 11), 1.6) * inside(np.float32(6) - np.abs(z + 20), 3)
    _paint(picture, cricoid, ossified)
    opening = rng.uniform(2.2, 4.2)
    glottis = np.exp(-0.5 * ((z + 1) / 4.5) ** 2)
    wide = np.where(z > 0, 9.5, 8.0) * (1 - glottis) + opening * glottis
    distance = np.sqrt((x / wide) ** 2 + ((y - middle) / 8.5) ** 2)
    _paint(picture, inside((1 - distance) * np.minimum(wide, 8), 2), AIR)


def _lesion(
    picture: Field, places: tuple[Field, Field, Field], latent: float, contrast: float, rng: np.random.Generator
) -> None:
    """Size, contrast uptake and unevenness rise with the latent, each with a spread of its own."""
    radius = 6.2 * np.exp(0.33 * latent + rng.normal(0, 0.05))
    across, along = np.exp(rng.normal(0, 0.08, size=2))
    x = places[0]
    y = (places[1] - np.float32(rng.normal(8, 2))) * np.float32(across)
    z = (places[2] - np.float32(rng.normal(0, 2))) * np.float32(along)
    outline = lobed(np.arctan2(y, x + 0 * z), 0.10 * np.exp(0.25 * latent), rng)
    share = inside(radius * outline - np.sqrt(x**2 + y**2 + z**2), 2)
    uneven = smooth_noise(picture.shape, (16, 16, 10), rng) * (12 * np.exp(0.2 * latent))
    uptake = MUSCLE + (46 + 10 * latent + rng.normal(0, 4)) * contrast
    _paint(picture, share, uptake + uneven)
    _paint(picture, inside(0.42 * radius - np.sqrt(x**2 + y**2 + z**2), 2) * (latent > 0.8), 62.0)


def _node(
    picture: Field, places: tuple[Field, Field, Field], latent: float, contrast: float, rng: np.random.Generator
) -> None:
    """The lymph node beside the vessels of that side."""
    radius = 3.6 * np.exp(0.22 * latent + rng.normal(0, 0.25))
    x, y, z = places[0], places[1] - np.float32(rng.normal(-1, 2)), places[2] - np.float32(rng.normal(6, 4))
    _paint(picture, inside(radius - np.sqrt(x**2 + y**2 + (z / 1.3) ** 2), 2), MUSCLE + 35 * contrast)


def _stored(picture: Field, machine: Scanner, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Scanner's gain, offset and noise, then the axes in the order that this hospital stores."""
    grain = rng.standard_normal(picture.shape, dtype=np.float32)
    grain = (grain + np.roll(grain, 1, 0) + np.roll(grain, 1, 1)) / np.float32(np.sqrt(3))
    values = np.clip(picture * machine.gain + machine.offset + rng.normal(0, 4) + machine.noise * grain, -1024, 2000)
    affine = np.diag([*machine.spacing, 1.0])
    affine[:3, 3] = [-(side - 1) / 2 * step for side, step in zip(machine.shape, machine.spacing, strict=True)]
    stored = np.round(values).astype(np.int16)
    for axis, flipped in enumerate(machine.flips):
        if flipped:
            affine[:3, 3] += affine[:3, axis] * (stored.shape[axis] - 1)
            affine[:3, axis] *= -1
            stored = np.flip(stored, axis)
    return np.ascontiguousarray(stored), affine
