"""An invented photograph of the eye's fundus: disc, macula, vessels, and what retinopathy leaves.

With the latent rise the number and size of red bleedings, the yellow exudates, and a pale swelling of the macula.
"""

import numpy as np

from simulations.hospitals.texture import Field, inside, plane, smooth_noise, tint

RETINA, DISC, VESSEL = (0.80, 0.40, 0.19), (0.98, 0.86, 0.62), (0.48, 0.13, 0.09)
BLEEDING, EXUDATE, MACULA, PALE = (0.40, 0.05, 0.05), (0.98, 0.90, 0.50), (0.55, 0.24, 0.11), (0.93, 0.68, 0.40)


def render(latent: float, side: int, count: int, rng: np.random.Generator) -> list[Field]:
    """``count`` photographs of one eye, (side, side, 3) each, in [0, 1]."""
    return [_view(latent, side, rng) for _ in range(count)]


def _view(latent: float, side: int, rng: np.random.Generator) -> Field:
    x, y = plane(side)
    u, v = x - np.float32(rng.normal(0, 0.03)), y - np.float32(rng.normal(0, 0.03))
    hand = rng.choice((-1.0, 1.0))  # left or right eye
    canvas = np.ones((side, side, 3), dtype=np.float32) * np.array(RETINA, dtype=np.float32)
    canvas *= 1 + np.float32(0.05) * smooth_noise((side, side), (7, 7), rng)[..., None]
    tint(canvas, 0.7 * np.exp(-0.5 * (np.hypot(u + np.float32(0.12 * hand), v) / 0.13) ** 2), MACULA)
    tint(canvas, _vessels(side, float(0.45 * hand), rng), VESSEL)
    disc = np.hypot(u - np.float32(0.45 * hand), v)
    tint(canvas, 0.95 * inside(0.15 - disc, 0.04), DISC)
    tint(canvas, 0.5 * inside(0.06 - disc, 0.05), (1.0, 0.97, 0.85))
    swelling = np.exp(-0.5 * (np.hypot(u + np.float32(0.12 * hand), v) / 0.30) ** 2)
    tint(canvas, np.float32(np.clip(0.22 + 0.09 * latent, 0, 0.6)) * swelling, PALE)
    _signs(canvas, (u, v), latent, rng)
    light = np.float32(1.05) - np.float32(0.30) * (x**2 + y**2)
    shown = canvas * light[..., None] * np.float32(1 + rng.normal(0, 0.02))
    return np.asarray(np.clip(shown, 0, 1) * inside(0.95 - np.hypot(x, y), 0.03)[..., None], dtype=np.float32)


def _signs(canvas: Field, places: tuple[Field, Field], latent: float, rng: np.random.Generator) -> None:
    """Bleedings and exudates: their number follows the latent closely, their places are chance."""
    for amount, growth, size, colour in (
        (11.0, 0.55, 0.028, BLEEDING),
        (7.0, 0.55, 0.020, EXUDATE),
    ):
        number = round(float(np.clip(amount * np.exp(growth * latent + rng.normal(0, 0.03)), 0, 60)))
        for _ in range(number):
            angle, far = rng.uniform(0, 2 * np.pi), 0.82 * np.sqrt(rng.uniform(0.02, 1))
            spread = size * np.exp(rng.normal(0, 0.10) + 0.08 * latent)
            _spot(canvas, places, (far * np.cos(angle), far * np.sin(angle), spread), colour)


def _spot(
    canvas: Field, places: tuple[Field, Field], where: tuple[float, float, float], colour: tuple[float, float, float]
) -> None:
    """One round spot, painted only on the pixels around it."""
    u, v = places
    right, down, radius = where
    step = 2 / (len(u) - 1)
    reach = int(np.ceil((radius + 0.05) / step)) + 1
    column, row = (
        int(np.clip(np.round((place - edge) / step), 0, len(u) - 1))
        for place, edge in ((right, u[0, 0]), (down, v[0, 0]))
    )
    rows = slice(max(row - reach, 0), row + reach + 1)
    columns = slice(max(column - reach, 0), column + reach + 1)
    distance = np.hypot(u[rows, columns] - np.float32(right), v[rows, columns] - np.float32(down))
    tint(canvas[rows, columns], 0.9 * inside(radius - distance, 0.02), colour)


def _vessels(side: int, disc: float, rng: np.random.Generator) -> Field:
    """Four arcades that leave the disc and bend round the macula, each with branches; share of each pixel."""
    from PIL import Image, ImageDraw, ImageFilter

    drawing = Image.new("L", (4 * side, 4 * side))
    pen = ImageDraw.Draw(drawing)
    inward = -np.sign(disc)
    for up in (-1.0, 1.0):
        for way, reach in ((inward, 1.3), (-inward, 0.5), (inward, 0.75)):
            bow, length = rng.uniform(0.45, 0.62) * (reach if reach < 1 else 1), np.linspace(0, 1, 14)
            xs = disc + way * reach * length + rng.normal(0, 0.01, 14).cumsum() * 0.5
            ys = up * bow * np.sin(np.minimum(length * 2.6, 1.9)) + rng.normal(0, 0.012, 14).cumsum() * 0.5
            _line(pen, xs, ys, side, 0.022)
            for knot in rng.integers(3, 12, size=3):
                turn = rng.uniform(0.3, 1.0) * rng.choice((-1, 1))
                along = np.linspace(0, rng.uniform(0.2, 0.45), 8)
                angle = np.arctan2(ys[knot + 1] - ys[knot], xs[knot + 1] - xs[knot]) + turn + 0.8 * along
                _line(pen, xs[knot] + along * np.cos(angle), ys[knot] + along * np.sin(angle), side, 0.010)
    small = drawing.resize((side, side), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(0.4))
    return np.asarray(small, dtype=np.float32) / np.float32(255 * 1.15)


def _line(pen: object, xs: np.ndarray, ys: np.ndarray, side: int, width: float) -> None:
    places = [((x + 1) * 2 * side, (y + 1) * 2 * side) for x, y in zip(xs, ys, strict=True)]
    pen.line(places, fill=255, width=max(1, round(width * 2 * side)), joint="curve")  # type: ignore[attr-defined]
