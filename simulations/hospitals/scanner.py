"""A hospital's scanner that takes volumes: voxel size, noise, gain, offset, and the order in which it stores axes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from simulations.hospitals.chance import stream
from simulations.hospitals.texture import Field

MARGIN = 1.08  # of the study's box: what a scan shows beside it


@dataclass(frozen=True)
class Scanner:
    """Field of view and voxel size (mm); noise and offset in Hounsfield units, gain; which axes are stored reversed."""

    extent: tuple[float, float, float]
    spacing: tuple[float, float, float]
    noise: float
    offset: float
    gain: float
    flips: tuple[bool, bool, bool]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels that cover the field of view."""
        x, y, z = (max(8, round(side / step)) for side, step in zip(self.extent, self.spacing, strict=True))
        return x, y, z


def scanner(site: str, extent: Sequence[float], spacing: Sequence[float], shift: float) -> Scanner:
    """The scanner of a hospital, by its name; ``shift`` is how far hospitals are apart, 0 not at all, 1 as real ones.

    ``spacing`` is what the study resamples to: hospitals' voxels are a little finer or coarser.
    """
    rng = stream("scanner", site)
    inplane, slices = rng.uniform(0.85, 1.1), rng.uniform(2.5 / 3, 4 / 3)
    noise, offset, gain = rng.uniform(9, 20), rng.uniform(-12, 12), rng.uniform(0.95, 1.05)
    flips = (bool(rng.random() < 0.5), bool(rng.random() < 0.5), False)
    across, along = (1 + shift * (factor - 1) for factor in (inplane, slices))
    steps = (spacing[0] * across, spacing[1] * across, spacing[2] * along)
    return Scanner(
        extent=(extent[0], extent[1], extent[2]),
        spacing=(
            float(np.round(steps[0], 2)),
            float(np.round(steps[1], 2)),
            float(np.round(steps[2], 1 + (steps[2] < 2))),
        ),
        noise=14.5 + shift * (noise - 14.5),
        offset=shift * offset,
        gain=1 + shift * (gain - 1),
        flips=flips if shift else (False, False, False),
    )


@lru_cache(maxsize=8)
def places(machine: Scanner) -> tuple[Field, Field, Field]:
    """Millimetres from the middle of the field of view, to the right, front and top."""
    axes = [
        ((np.arange(side) - (side - 1) / 2) * step).astype(np.float32)
        for side, step in zip(machine.shape, machine.spacing, strict=True)
    ]
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    return x, y, z


def stored(
    picture: Field, machine: Scanner, suv: bool, rng: np.random.Generator
) -> tuple[NDArray[np.generic], NDArray[np.float64]]:
    """What the hospital keeps: gain, offset and noise added, axes in its order; and the affine (voxel to mm, RAS+).

    Whole numbers of 16 bits, but of an uptake (``suv``) the value as it is, with a hundredth of the noise.
    """
    grain = rng.standard_normal(picture.shape, dtype=np.float32)
    grain = (grain + np.roll(grain, 1, 0) + np.roll(grain, 1, 1)) / np.float32(np.sqrt(3))
    added = machine.offset + rng.normal(0, 4) + machine.noise * grain
    if suv:
        kept: NDArray[np.generic] = np.maximum(picture * machine.gain + 0.01 * added, 0).astype(np.float32)
    else:
        kept = np.round(np.clip(picture * machine.gain + added, -1024, 2000)).astype(np.int16)
    affine = np.diag([*machine.spacing, 1.0])
    affine[:3, 3] = [-(side - 1) / 2 * step for side, step in zip(machine.shape, machine.spacing, strict=True)]
    for axis, flipped in enumerate(machine.flips):
        if flipped:
            affine[:3, 3] += affine[:3, axis] * (kept.shape[axis] - 1)
            affine[:3, axis] *= -1
            kept = np.flip(kept, axis)
    return np.ascontiguousarray(kept), affine
