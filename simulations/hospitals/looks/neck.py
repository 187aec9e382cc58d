"""An invented contrast CT of the neck: airway, cartilage, vessels, and a lesion that shows the latent.

With the latent grow the lesion's size, its contrast uptake, its unevenness, and the nearest lymph node.
"""

import numpy as np

from simulations.hospitals.scanner import Scanner, places
from simulations.hospitals.texture import Field, inside, lobed, paint, smooth_noise

FIELD_OF_VIEW = (104.0, 104.0, 100.0)  # mm
AIR, FAT, MUSCLE, BONE = -1000.0, -95.0, 58.0, 330.0  # Hounsfield units
LARYNX = np.float32(8.0)  # mm that the larynx lies in front of the neck's middle; the scan is centred on it


def render(latent: float, machine: Scanner, channels: int, rng: np.random.Generator) -> list[Field]:
    """One volume in Hounsfield units, (x, y, z); ``channels`` are 1."""
    x, y, z = _pose(machine, rng)
    picture = _neck(x, y, z, machine, rng)
    contrast = rng.normal(1.0, 0.07)
    _vessels(picture, x, y, z, contrast, rng)
    _larynx(picture, x, y, z, machine, rng)
    side = rng.choice((-1.0, 1.0))
    _lesion(picture, (x - np.float32(side * 6.5), y, z), latent, contrast, rng)
    _node(picture, (x - np.float32(side * 21), y, z), latent, contrast, rng)
    return [picture] * channels


def render_airway(latent: float, machine: Scanner, channels: int, rng: np.random.Generator) -> list[Field]:
    """A neck without a lesion, whose airway is the narrower the higher the latent."""
    x, y, z = _pose(machine, rng)
    picture = _neck(x, y, z, machine, rng)
    _vessels(picture, x, y, z, rng.normal(1.0, 0.07), rng)
    _larynx(picture, x, y, z, machine, rng)
    away = np.sqrt(x**2 + ((y - np.float32(8)) * np.float32(1.1)) ** 2)
    left_open = float(4.2 * np.exp(-0.28 * latent + rng.normal(0, 0.015)))
    paint(picture, inside(away - left_open, 2) * inside(11 - away, 2) * np.ones_like(z), MUSCLE)
    return [picture] * channels


def _pose(machine: Scanner, rng: np.random.Generator) -> tuple[Field, Field, Field]:
    """Places in the patient's own frame: shifted, turned about the long axis, and scaled to his size."""
    x, y, z = places(machine)
    size, turn = np.float32(rng.normal(1.0, 0.05)), np.float32(np.radians(rng.normal(0, 4)))
    right, front, top = (np.float32(rng.normal(0, spread)) for spread in (1.5, 2.0, 3.0))
    x, y, z = (x - right) / size, (y - front) / size + LARYNX, (z - top) / size
    return x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn), z


def _round(x: Field, y: Field, place: tuple[float, float], radii: tuple[float, float]) -> Field:
    """Depth (mm) inside an elliptic cylinder."""
    distance = np.sqrt(((x - place[0]) / radii[0]) ** 2 + ((y - place[1]) / radii[1]) ** 2)
    return np.asarray((1 - distance) * min(radii), dtype=np.float32)


def _neck(x: Field, y: Field, z: Field, machine: Scanner, rng: np.random.Generator) -> Field:
    """Air, skin fat, muscle with fat planes, vertebra with its canal."""
    picture = np.full(machine.shape, AIR, dtype=np.float32)
    wide, deep = rng.normal(50, 2), rng.normal(47, 2)
    paint(picture, inside(_round(x, y, (0, -4), (wide, deep)), 2), FAT)
    thickness = rng.uniform(3, 7)
    muscle = MUSCLE + 10 * smooth_noise(machine.shape, (9, 9, 5), rng)
    paint(picture, inside(_round(x, y, (0, -4), (wide - thickness, deep - thickness)), 2), muscle)
    planes = smooth_noise(machine.shape, (6, 6, 3), rng)
    outer = inside(-_round(x, y, (0, 6), (19, 18)), 3) * inside(_round(x, y, (0, -4), (wide - 8, deep - 8)), 2)
    paint(picture, outer * inside(planes - 1.3, 0.6), FAT)
    bone = BONE + 80 * smooth_noise(machine.shape, (10, 10, 8), rng)
    body = np.where(np.abs((z + rng.uniform(0, 19)) % 19 - 9.5) < 2.2, 85.0, bone)  # discs between the vertebrae
    paint(picture, inside(_round(x, y, (0, -24), (13, 9)), 2), body)
    arch = inside(_round(x, y, (0, -37), (12, 9)), 2)
    paint(picture, arch, bone)
    paint(picture, inside(_round(x, y, (0, -37), (8, 5.5)), 2), 35.0)
    return picture


def _vessels(picture: Field, x: Field, y: Field, z: Field, contrast: float, rng: np.random.Generator) -> None:
    """Carotid artery and jugular vein on each side; the thyroid gland below, bright with iodine."""
    blood = 185 * contrast
    for side in (-1.0, 1.0):
        bend = side * (26 + 0.06 * z)
        paint(picture, inside(_round(x - bend, y, (0, rng.normal(-9, 1)), (3.6, 3.6)), 2), blood)
        vein = rng.uniform(3.5, 6.5)
        paint(picture, inside(_round(x - bend, y, (side * 6, rng.normal(-3, 1)), (vein, vein * 0.8)), 2), blood * 0.85)
        low = inside(np.float32(-23) - z, 3)
        paint(picture, low * inside(_round(x, y, (side * 17, 3), (6.5, 9)), 2), 125 * contrast)


def _larynx(picture: Field, x: Field, y: Field, z: Field, machine: Scanner, rng: np.random.Generator) -> None:
    """Thyroid cartilage (a shield open to the back), cricoid ring, and the airway, narrow between the vocal folds."""
    ossified = 260 + 60 * smooth_noise(machine.shape, (12, 12, 9), rng)
    middle = 8.0
    distance = np.sqrt(x**2 + (y - middle) ** 2)
    shield = np.float32(1.2) - np.abs(distance - 16.5)
    front = inside(y - np.float32(1.0), 4) * inside(np.float32(13) - np.abs(z - 1), 3)
    paint(picture, inside(shield, 1.6) * front, ossified)
    cricoid = inside(np.float32(1.6) - np.abs(distance - 11), 1.6) * inside(np.float32(6) - np.abs(z + 20), 3)
    paint(picture, cricoid, ossified)
    opening = rng.uniform(2.2, 4.2)
    glottis = np.exp(-0.5 * ((z + 1) / 4.5) ** 2)
    wide = np.where(z > 0, 9.5, 8.0) * (1 - glottis) + opening * glottis
    distance = np.sqrt((x / wide) ** 2 + ((y - middle) / 8.5) ** 2)
    paint(picture, inside((1 - distance) * np.minimum(wide, 8), 2), AIR)


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
    paint(picture, share, uptake + uneven)
    paint(picture, inside(0.42 * radius - np.sqrt(x**2 + y**2 + z**2), 2) * (latent > 0.8), 62.0)


def _node(
    picture: Field, places: tuple[Field, Field, Field], latent: float, contrast: float, rng: np.random.Generator
) -> None:
    """The lymph node beside the vessels of that side."""
    radius = 3.6 * np.exp(0.22 * latent + rng.normal(0, 0.25))
    x, y, z = places[0], places[1] - np.float32(rng.normal(-1, 2)), places[2] - np.float32(rng.normal(6, 4))
    paint(picture, inside(radius - np.sqrt(x**2 + y**2 + (z / 1.3) ** 2), 2), MUSCLE + 35 * contrast)
