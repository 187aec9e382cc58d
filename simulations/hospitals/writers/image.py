"""Writes a patient's picture as PNG, JPEG or DICOM, as the study's path asks; a radiograph in a column is DICOM."""

from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import numpy as np

from shared.modalities.image import Image
from shared.simulated import PICTURES
from simulations.hospitals.device import device, recorded
from simulations.hospitals.looks import (
    dental,
    fundus,
    kidney,
    laryngoscopy,
    muscle,
    photograph,
    radiograph,
    scene,
    ultrasound,
)
from simulations.hospitals.texture import Field
from simulations.hospitals.writers.sight import Files, Sight

Render = Callable[[float, int, int, np.random.Generator], list[Field]]
LOOKS: dict[str, Render] = {
    "ultrasound": ultrasound.render,
    "muscle": muscle.render,
    "kidney": kidney.render,
    "fundus": fundus.render,
    "radiograph": radiograph.render,
    "photo": photograph.render,
    "dental": dental.render,
    "scene": scene.render,
}
SMALLEST, LARGEST = 48, 256  # pixels a side of what is painted
DIGITAL = ("radiograph", "dental")  # looks that a column's files hold as DICOM
DEEPEST = 4095  # of a radiograph's 12 bits


def write_image(spec: Image, sight: Sight) -> Files:
    """A picture for each path of the study; their cells, unless the path is a pattern."""
    taken, cells = pictures(spec.size, len(spec.paths), sight), {}
    if "{patient}" in spec.paths[0]:
        save(sight.matching(spec.paths[0], 0), taken[0])
        return Files()
    for column, picture in zip(spec.paths, taken, strict=True):
        which = f"-{column}" if len(spec.paths) > 1 else ""
        cells[column] = f"{sight.name}/{sight.unit}{which}.{'dcm' if sight.look in DIGITAL else 'png'}"
        save(sight.place(cells[column]), picture)
    return Files(cells)


def pictures(size: tuple[int, int, int], count: int, sight: Sight) -> list[Field]:
    """``count`` pictures of a patient in [0, 1], (side, side) or (side, side, 3), as its machine takes them."""
    look = sight.look or PICTURES[0]
    if look == "laryngoscopy":
        taken = laryngoscopy.render(sight.latent, laryngoscopy.camera(sight.site, sight.scanner), sight.rng)
        return [picture.astype(np.float32) / np.float32(255) for picture in taken][:count]
    machine = device(look, sight.site, sight.scanner)
    side = int(np.clip(1.25 * max(size[1:]), SMALLEST, LARGEST))
    return [recorded(picture, machine, sight.rng) for picture in LOOKS[look](sight.latent, side, count, sight.rng)]


def save(path: Path, picture: Field) -> None:
    """A picture in [0, 1] in the format of the file's ending."""
    if path.suffix == ".dcm":
        _save_dicom(path, picture)
        return
    from PIL import Image as Picture

    options = {"compress_level": 1} if path.suffix == ".png" else {"quality": 92}
    Picture.fromarray(np.round(picture * 255).astype(np.uint8)).save(path, **options)  # type: ignore[arg-type]


def _save_dicom(path: Path, picture: Field) -> None:
    """A digital radiograph of 12 bits, without anything that names a person."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import UID, DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

    grey = picture if picture.ndim == 2 else picture.mean(axis=2)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = UID(f"1.2.826.0.1.3680043.10.1.{crc32(path.stem.encode())}")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    file.SOPClassUID, file.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    file.Modality, file.PhotometricInterpretation, file.SamplesPerPixel = "DX", "MONOCHROME2", 1
    file.Rows, file.Columns = grey.shape
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 12, 11, 0
    file.WindowCenter, file.WindowWidth = DEEPEST // 2 + 1, DEEPEST + 1
    file.RescaleIntercept, file.RescaleSlope = 0, 1
    file.PixelData = np.round(grey * DEEPEST).astype("<u2").tobytes()
    file.save_as(path, enforce_file_format=True)
