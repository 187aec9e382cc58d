"""Smooth random fields and soft-edged shapes: what the invented pictures are painted with."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Values = NDArray[np.floating[Any]]


def smooth_noise(shape: Sequence[int], cells: Sequence[int], rng: np.random.Generator) -> Field:
    """A random field with about ``cells`` bumps a side and unit spread at the knots, linear in between."""
    field: Field = rng.standard_normal([count + 1 for count in cells], dtype=np.float32)
    for axis, (side, count) in enumerate(zip(shape, cells, strict=True)):
        below, part = _knots(side, count)
        part = part.reshape(-1, *[1] * (field.ndim - 1 - axis))
        field = field.take(below, axis) * (1 - part) + field.take(below + 1, axis) * part
    return field


@lru_cache(maxsize=64)
def _knots(side: int, cells: int) -> tuple[NDArray[np.intp], Field]:
    """For each of ``side`` places among cells + 1 knots: the knot below, and how far it is on its way to the next."""
    place = np.linspace(0, cells, side)
    below = np.minimum(place.astype(np.intp), cells - 1)
    return below, (place - below).astype(np.float32)


def inside(depth: Values, edge: float) -> Field:
    """Share of a place that belongs to a shape, from its depth inside (negative: outside) and the edge's width."""
    share: Field = np.clip(0.5 + depth / np.float32(edge), 0, 1).astype(np.float32)
    return share


def lobed(angle: Field, amplitude: float, rng: np.random.Generator) -> Field:
    """Relative radius of an irregular outline around 1: a few random waves over the angle."""
    outline = np.ones_like(angle)
    for waves in (2, 3, 5, 7):
        size = np.float32(amplitude * rng.normal() / np.sqrt(waves))
        outline += size * np.cos(waves * angle + np.float32(rng.uniform(0, 2 * np.pi)))
    return np.maximum(outline, np.float32(0.3))


def paint(picture: Field, share: Values, value: Values | float) -> None:
    """Cover a share of each place (partial volume) with a tissue's value."""
    picture += share * (value - picture)


def tint(canvas: Field, share: Values, colour: tuple[float, float, float]) -> None:
    """Cover a share of each pixel of a colour picture (height, width, 3), keeping the canvas's own fine shading."""
    canvas += share[..., None] * (np.array(colour, dtype=np.float32) - canvas)


def plane(side: int) -> tuple[Field, Field]:
    """Places of a square picture's pixels in [-1, 1]: to the right, and down."""
    axis = np.linspace(-1, 1, side, dtype=np.float32)
    down, right = np.meshgrid(axis, axis, indexing="ij")
    return right, down
