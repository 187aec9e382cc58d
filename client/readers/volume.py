"""Reads one patient's volume, NIfTI or DICOM slices, one or several channels, prepared as the study declares."""

from math import prod
from pathlib import Path

import torch
from torch import Tensor

from client.readers.dicom_series import HUGE, LARGEST, load_series, series_files
from client.readers.preparation import EMPTY_MASK, prepare
from client.readers.reading import OUTSIDE, Case, Reader, Reading, Source, file_fault, path_in, within
from shared.modalities.volume import Volume

UNREADABLE = "file is truncated or not NIfTI"
NOT_3D = "not a three-dimensional volume"
CHANNELS = "file has not the declared number of channels"
EMPTY = "volume is empty"
NO_SPACING = "voxel spacing or orientation is missing or not usable"
NOT_FINITE = "volume holds values that are not finite"
NO_BOX = "box is not six whole numbers inside the volume"
NO_CROP = "no mask or box to crop to"
FINEST, COARSEST = 1e-2, 1e2  # mm a voxel
Picture = tuple[Tensor, Tensor]  # values (channels, x, y, z) and affine


def open_volume(spec: Volume, source: Source) -> Reader:
    """Reads (channels, x, y, z) in [0, 1], axes to the right, front and top of the patient.

    A cell of ``spec.paths`` is a NIfTI file or a folder of DICOM slices inside the hospital's folder; an empty cell
    means that the patient was not examined, of several channels that he lacks them all. Outside the scanned box the
    tensor is the window's lower end.
    """

    def look(case: Case) -> Reading:
        pictures: list[Picture] = []
        for column in spec.paths:
            path = path_in(case, column, source.folder)
            if path is None:
                return Reading(None, (f"{column}: no such channel, volume left out",) if pictures else ())
            found = _load(path, source.folder, spec.channels)
            if isinstance(found, str):
                return Reading(None, (found,))
            pictures.append(found)
        mask = _crop(spec, case, source.folder, pictures[0])
        if isinstance(mask, str):
            return Reading(None, (mask,))
        tensor = prepare(spec)(pictures, mask)
        return Reading(None, (EMPTY_MASK,)) if tensor is None else Reading(tensor)

    def files(case: Case) -> list[Path]:
        columns = [*spec.paths, *([spec.crop_by] if spec.crop == "mask" else [])]
        found = [path for column in columns if (path := path_in(case, column, source.folder))]
        found = [path for path in found if within(path, source.folder)]
        return [file for path in found for file in (series_files(path) if path.is_dir() else [path])]

    return Reader(look, UNREADABLE, files)


def _load(path: Path, folder: Path, channels: int) -> Picture | str:
    """A file's or a series' values (channels, x, y, z) and affine, or the rule that it breaks."""
    if not within(path, folder):
        return OUTSIDE
    if path.is_dir():
        found = load_series(path, folder)
    elif fault := file_fault(path, folder):
        return fault
    else:
        found = _nifti(path, channels)
    if isinstance(found, str):
        return found
    values, affine = found
    if len(values) != channels:
        return CHANNELS
    if not _usable(affine):
        return NO_SPACING
    return found if values.isfinite().all() else NOT_FINITE


def _nifti(path: Path, channels: int) -> Picture | str:
    import nibabel

    if not path.name.lower().endswith((".nii", ".nii.gz")):
        return UNREADABLE
    image = nibabel.load(path)
    if not isinstance(image, nibabel.Nifti1Image):
        return UNREADABLE
    if rule := _shape_fault(tuple(image.shape), channels):
        return rule
    values = torch.from_numpy(image.get_fdata(dtype="float32", caching="unchanged"))
    values = values.permute(3, 0, 1, 2) if values.ndim == 4 else values.unsqueeze(0)
    return values, torch.as_tensor(image.affine, dtype=torch.float64)


def _shape_fault(shape: tuple[int, ...], channels: int) -> str:
    """The rule that a shape breaks, or nothing."""
    if 0 in shape or not shape:
        return EMPTY
    if len(shape) not in (3, 4) or (channels == 1 and prod(shape[3:]) > 1):
        return NOT_3D
    if prod(shape[3:]) != channels:
        return CHANNELS
    return HUGE if prod(shape) > LARGEST else ""


def _usable(affine: Tensor) -> bool:
    """Whether voxels have a plausible size, and their axes span space."""
    spacing = affine[:3, :3].norm(dim=0)
    if not affine.isfinite().all() or not bool(((spacing > FINEST) & (spacing < COARSEST)).all()):
        return False
    return bool((torch.linalg.det(affine[:3, :3] / spacing).abs() > FINEST).item())


def _crop(spec: Volume, case: Case, folder: Path, first: Picture) -> Picture | str | None:
    """What is cropped to, as a mask: a file's, or the declared box; None where nothing is, or the rule broken."""
    if spec.crop == "center":
        return None
    cell = case.row.get(spec.crop_by, "").strip()
    if not cell:
        return NO_CROP
    if spec.crop == "mask":
        found = _load(folder / cell, folder, 1)
        return f"mask: {found}" if isinstance(found, str) else found
    values, affine = first
    numbers = cell.split()
    if len(numbers) != 6 or not all(number.isdecimal() for number in numbers):
        return NO_BOX
    low, high = [int(number) for number in numbers[:3]], [int(number) for number in numbers[3:]]
    if not all(a < b <= side for a, b, side in zip(low, high, values.shape[1:], strict=True)):
        return NO_BOX
    mask = torch.zeros(1, *values.shape[1:])
    mask[0, low[0] : high[0], low[1] : high[1], low[2] : high[2]] = 1
    return mask, affine
