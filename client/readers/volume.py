"""Reads one patient's NIfTI volume: oriented, resampled, windowed to [0, 1] and cropped as the study declares."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from client.readers.reading import NOT_FOUND, OUTSIDE, Reading, within
from shared.modalities.volume import Volume

UNREADABLE = "file is truncated or not NIfTI"
NOT_3D = "not a three-dimensional volume"
EMPTY = "volume is empty"
NO_SPACING = "voxel spacing or orientation is missing or not usable"
NOT_FINITE = "volume holds values that are not finite"
HUGE = "volume has more than 268 million voxels"
LARGEST = 2**28  # voxels
FINEST, COARSEST = 1e-2, 1e2  # mm a voxel


def read_volume(spec: Volume, row: Mapping[str, str], patient: str, folder: Path) -> Reading:
    """One patient's tensor (1, x, y, z) in [0, 1], axes to the right, front and top of the patient.

    ``row[spec.path]`` is a path inside ``folder``; an empty cell means that the patient was not examined. Outside the
    scanned box the tensor is the window's lower end. Never raises for a bad file: the reading names the rule.
    """
    name = row.get(spec.path, "").strip()
    if not name:
        return Reading(None)
    path = folder / name
    if not within(path, folder):
        return Reading(None, (OUTSIDE,))
    try:
        if not path.is_file():  # raises where a name is longer than the system allows
            return Reading(None, (NOT_FOUND,))
        found = _load(path)
        return Reading(None, (found,)) if isinstance(found, str) else Reading(_prepare(spec)(*found))
    except Exception:
        return Reading(None, (UNREADABLE,))


def _load(path: Path) -> tuple[Tensor, Tensor] | str:
    """Values (1, x, y, z) and affine of a file, or the rule that it breaks."""
    import nibabel

    image = nibabel.load(path)
    if not isinstance(image, nibabel.Nifti1Image):
        return UNREADABLE
    if rule := _shape_fault(tuple(image.shape)):
        return rule
    affine = torch.as_tensor(image.affine, dtype=torch.float64)
    if not _usable(affine):
        return NO_SPACING
    values = torch.from_numpy(image.get_fdata(dtype="float32", caching="unchanged"))
    if not values.isfinite().all():
        return NOT_FINITE
    return values.unsqueeze(0), affine


def _shape_fault(shape: tuple[int, ...]) -> str:
    """The rule that a shape breaks, or nothing."""
    if 0 in shape or not shape:
        return EMPTY
    if len(shape) != 3:
        return NOT_3D
    return HUGE if prod(shape) > LARGEST else ""


def _usable(affine: Tensor) -> bool:
    """Whether voxels have a plausible size, and their axes span space."""
    spacing = affine[:3, :3].norm(dim=0)
    if not affine.isfinite().all() or not bool(((spacing > FINEST) & (spacing < COARSEST)).all()):
        return False
    return bool((torch.linalg.det(affine[:3, :3] / spacing).abs() > FINEST).item())


@lru_cache(maxsize=8)
def _prepare(spec: Volume) -> Callable[[Tensor, Tensor], Tensor]:
    """The study's fixed preparation, built once: MONAI's array transforms."""
    from monai.data.meta_tensor import MetaTensor
    from monai.transforms.croppad.array import ResizeWithPadOrCrop
    from monai.transforms.intensity.array import ScaleIntensityRange
    from monai.transforms.spatial.array import Orientation, Spacing

    low, high = spec.window
    orient, window = Orientation(axcodes="RAS", labels=None), ScaleIntensityRange(low, high, 0.0, 1.0, clip=True)
    resample = Spacing(pixdim=spec.spacing, mode="bilinear", padding_mode="border")
    crop = ResizeWithPadOrCrop(spatial_size=spec.size, mode="constant", value=0.0)

    def prepare(values: Tensor, affine: Tensor) -> Tensor:
        resampled = resample(orient(MetaTensor(values, affine=affine)))
        windowed: Any = window(resampled)
        picture: Any = crop(windowed)
        plain: Tensor = picture.as_tensor()
        return plain.to(torch.float32).clone()

    return prepare
