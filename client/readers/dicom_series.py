"""Reads a folder of DICOM slices as one volume: sorted by position, rescaled, with its affine."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from client.readers.reading import OUTSIDE, within

NOT_DICOM = "folder holds a file that is not DICOM"
ONE_SLICE = "folder has fewer than two slices"
SEVERAL_SERIES = "folder has several series"
NOT_SLICES = "folder has pictures that are not single grey slices of one size and direction"
SAME_PLACE = "two slices at one place"
GAPS = "slices are missing, or not equally spaced"
TILT = "slices are sheared: a gantry tilt must be corrected before"
TOO_MANY = "folder has more than 4096 files"
HUGE = "volume has more than 268 million voxels"
LARGEST = 2**28  # voxels
MOST = 4096
SAME = 1e-3  # of direction cosines and mm
EVEN = 0.02  # of the distance of slices


def series_files(path: Path) -> list[Path]:
    """Files of a series' folder, but for hidden ones."""
    return sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))


def load_series(path: Path, folder: Path) -> tuple[Tensor, Tensor] | str:
    """Values (1, x, y, z) after the rescale slope, and the affine to mm (right, front, top); or the rule broken."""
    files = series_files(path)
    if len(files) > MOST:
        return TOO_MANY
    if not all(within(file, folder) for file in files):
        return OUTSIDE
    slices = [_header(file) for file in files]
    if any(found is None for found in slices):
        return NOT_DICOM
    if fault := _fault(slices):
        return fault
    order, affine = _geometry(slices)
    return affine if isinstance(affine, str) else (_values([files[place] for place in order]), affine)


def _header(file: Path) -> Any:
    """A slice without its pixels, or None where the file is not DICOM."""
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        return pydicom.dcmread(file, stop_before_pixels=True)
    except InvalidDicomError:
        return None


def _fault(slices: list[Any]) -> str:
    """The rule that the slices break together, or nothing."""
    if len(slices) < 2:
        return ONE_SLICE
    if len({str(one.SeriesInstanceUID) for one in slices}) > 1:
        return SEVERAL_SERIES
    form = {
        (int(one.Rows), int(one.Columns), int(one.SamplesPerPixel), int(one.get("NumberOfFrames") or 1))
        for one in slices
    }
    directions = np.array([[*one.ImageOrientationPatient, *one.PixelSpacing] for one in slices], dtype=np.float64)
    rows, columns, samples, frames = next(iter(form))
    if len(form) > 1 or (samples, frames) != (1, 1) or np.abs(directions - directions[0]).max() > SAME:
        return NOT_SLICES
    return HUGE if rows * columns * len(slices) > LARGEST else ""


def _geometry(slices: list[Any]) -> tuple[Any, Tensor | str]:
    """The order of the slices along their normal, and the affine; or the rule that their places break."""
    along_row, along_column = np.array(slices[0].ImageOrientationPatient, dtype=np.float64).reshape(2, 3)
    places = np.array([one.ImagePositionPatient for one in slices], dtype=np.float64)
    normal = np.cross(along_row, along_column)
    order = np.argsort(places @ normal)
    steps = np.diff(places[order] @ normal)
    if steps.min() < SAME:
        return order, SAME_PLACE
    if np.ptp(steps) > EVEN * steps.mean():
        return order, GAPS
    step = (places[order[-1]] - places[order[0]]) / len(steps)
    if np.linalg.norm(step - (step @ normal) * normal) > EVEN * np.linalg.norm(step):
        return order, TILT
    down, right = (float(spacing) for spacing in slices[0].PixelSpacing)  # between rows, between columns
    affine = np.eye(4)
    affine[:3] = np.stack([along_row * right, along_column * down, step, places[order[0]]], axis=1)
    affine[:2] *= -1  # DICOM counts to the left and the back
    return order, torch.from_numpy(affine)


def _values(files: list[Path]) -> Tensor:
    """(1, columns, rows, slices) float32, slices in the order given."""
    import pydicom
    from pydicom.pixels.processing import apply_modality_lut

    volume: Any = None
    for place, file in enumerate(files):
        data = pydicom.dcmread(file)
        picture = apply_modality_lut(data.pixel_array, data)
        volume = np.empty((*picture.T.shape, len(files)), dtype=np.float32) if volume is None else volume
        volume[..., place] = picture.T
    return torch.from_numpy(volume).unsqueeze(0)
