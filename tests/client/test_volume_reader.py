"""Volumes beyond one NIfTI file: DICOM slices, channels, cropping to a mask or box, edges."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from pydicom.uid import generate_uid

from client.readers import dicom_series, preparation, volume
from client.readers.reading import OUTSIDE, Reading
from shared.modalities.volume import Volume
from tests.client.test_image_reader import dicom
from tests.reads import read, tensor_of

SIDE, DEEP = 16, 8


def spec(**keys: Any) -> Volume:
    given = {"spacing": (1.0, 1.0, 2.0), "shape": (SIDE, SIDE, DEEP), "window": (0.0, 1000.0), **keys}
    return Volume.model_validate({"kind": "volume", "path": "ct", **given})


def scene() -> np.ndarray:
    """(x, y, z) in RAS: bright to the right, half bright in front, brighter to the top."""
    x, y, z = np.meshgrid(np.arange(SIDE), np.arange(SIDE), np.arange(DEEP), indexing="ij")
    return (400 * (x >= 8) + 200 * (y >= 12) + 50 * z).astype(np.int16)


def nifti(folder: Path, values: np.ndarray, name: str = "a.nii.gz", spacing: tuple[float, ...] = (1, 1, 2)) -> str:
    affine = np.diag([*spacing, 1.0])
    nibabel.save(nibabel.Nifti1Image(values, affine), folder / name)  # type: ignore[no-untyped-call]
    return name


Change = Callable[[int, dict[str, Any]], None]


def series(folder: Path, change: Change = lambda place, tags: None) -> Path:
    """The scene as axial slices in the patient's coordinates of DICOM (left, back, top), files in a shuffled order."""
    folder.mkdir()
    uid = generate_uid()
    for place in range(DEEP):
        tags: dict[str, Any] = {
            "SeriesInstanceUID": uid,
            "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
            "ImagePositionPatient": [-float(SIDE - 1), -float(SIDE - 1), 2.0 * place],
            "PixelSpacing": [1.0, 1.0],
            "RescaleSlope": 2,
            "RescaleIntercept": -100,
        }
        change(place, tags)
        pixels = (scene()[::-1, ::-1, place].T + 100) // 2  # rows from front to back, columns from right to left
        dicom(folder / f"{(place * 5) % DEEP}.dcm", np.ascontiguousarray(pixels.astype("<i2")), **tags)
    return folder


def test_dicom_slices_are_the_volume_that_nifti_is(tmp_path: Path) -> None:
    series(tmp_path / "slices")
    nifti(tmp_path, scene())
    one = tensor_of(read(spec(), {"ct": "slices"}, tmp_path))
    other = tensor_of(read(spec(), {"ct": "a.nii.gz"}, tmp_path))
    assert one.numpy() == pytest.approx(other.numpy(), abs=1e-5)
    assert one[0, 12, 4, :].numpy() == pytest.approx((400 + 50 * np.arange(DEEP)) / 1000, abs=1e-5)


def at(place: int, name: str, value: Any) -> Change:
    def change(number: int, tags: dict[str, Any]) -> None:
        if number == place or place < 0:
            tags[name] = value(number) if callable(value) else value

    return change


def sheared(number: int) -> list[float]:
    return [-15.0, -15.0 + 0.5 * number, 2.0 * number]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (at(3, "ImagePositionPatient", [-15.0, -15.0, 7.0]), dicom_series.GAPS),
        (at(3, "ImagePositionPatient", [-15.0, -15.0, 8.0]), dicom_series.SAME_PLACE),
        (at(-1, "ImagePositionPatient", sheared), dicom_series.TILT),
        (at(3, "SeriesInstanceUID", "1.2.3"), dicom_series.SEVERAL_SERIES),
        (at(3, "PixelSpacing", [2.0, 2.0]), dicom_series.NOT_SLICES),
        (at(3, "ImageOrientationPatient", [0, 1, 0, 1, 0, 0]), dicom_series.NOT_SLICES),
        (at(3, "NumberOfFrames", 2), dicom_series.NOT_SLICES),
        (at(3, "PixelData", b"\0\0"), volume.UNREADABLE),
        (at(-1, "PixelSpacing", [0.0, 0.0]), volume.NO_SPACING),
    ],
)
def test_slices_that_are_no_volume_are_refused(change: Change, rule: str, tmp_path: Path) -> None:
    series(tmp_path / "slices", change)
    if rule == volume.UNREADABLE:
        file = next(iter((tmp_path / "slices").glob("*.dcm")))
        file.write_bytes(file.read_bytes()[:-10])
    assert read(spec(), {"ct": "slices"}, tmp_path) == Reading(None, (rule,))


def test_other_files_in_a_series_folder(tmp_path: Path) -> None:
    folder = series(tmp_path / "slices")
    (folder / ".hidden").write_text("of the system")
    tensor_of(read(spec(), {"ct": "slices"}, tmp_path))
    (folder / "notes.txt").write_text("of the patient")
    assert read(spec(), {"ct": "slices"}, tmp_path) == Reading(None, (dicom_series.NOT_DICOM,))
    (folder / "notes.txt").unlink()
    shutil.move(folder / "0.dcm", tmp_path.parent / f"{tmp_path.name}.dcm")
    (folder / "0.dcm").symlink_to(tmp_path.parent / f"{tmp_path.name}.dcm")
    assert read(spec(), {"ct": "slices"}, tmp_path) == Reading(None, (OUTSIDE,))
    (tmp_path / "empty").mkdir()
    assert read(spec(), {"ct": "empty"}, tmp_path) == Reading(None, (dicom_series.ONE_SLICE,))


def test_several_files_are_channels_on_the_grid_of_the_first_each_with_its_window(tmp_path: Path) -> None:
    nifti(tmp_path, scene())
    coarse = np.full((4, 4, 4), 30, dtype=np.int16)  # half as long as the first along x and y
    nifti(tmp_path, coarse, "pet.nii.gz", (2, 2, 4))
    both = spec(path=("ct", "pet"), window=((0.0, 1000.0), (-20.0, 80.0)))
    assert both.shape == (2, SIDE, SIDE, DEEP)
    found = tensor_of(read(both, {"ct": "a.nii.gz", "pet": "pet.nii.gz"}, tmp_path))
    assert found[0].numpy() == pytest.approx(tensor_of(read(spec(), {"ct": "a.nii.gz"}, tmp_path))[0].numpy())
    assert found[1, 1:6, 1:6, 1:6].numpy() == pytest.approx(0.5, abs=1e-6)
    assert not found[1, 8:].any()  # not scanned: the window's lower end, although 0 lies inside the window
    told = "pet: no such channel, volume left out"
    assert read(both, {"ct": "a.nii.gz", "pet": ""}, tmp_path) == Reading(None, (told,))
    assert read(both, {"ct": "", "pet": "pet.nii.gz"}, tmp_path) == Reading(None)


def test_a_file_of_four_dimensions_holds_the_declared_channels(tmp_path: Path) -> None:
    nifti(tmp_path, np.stack([scene(), scene() // 2], axis=-1))
    found = tensor_of(read(spec(channels=2), {"ct": "a.nii.gz"}, tmp_path))
    assert found[1].numpy() == pytest.approx(found[0].numpy() / 2, abs=1e-3)
    for channels, rule in ((1, volume.NOT_3D), (3, volume.CHANNELS)):
        assert read(spec(channels=channels), {"ct": "a.nii.gz"}, tmp_path) == Reading(None, (rule,))


def test_a_crop_keeps_the_box_of_a_mask_and_its_margin(tmp_path: Path) -> None:
    nifti(tmp_path, np.full((SIDE, SIDE, DEEP), 1000, dtype=np.int16))
    mask = np.zeros((SIDE, SIDE, DEEP), dtype=np.uint8)
    mask[4:8, 4:10, 2:4] = 1
    nifti(tmp_path, mask, "mask.nii.gz")
    row = {"ct": "a.nii.gz", "roi": "mask.nii.gz", "box": "4 4 2 8 10 4"}
    for how in ({"crop": "mask", "crop_by": "roi"}, {"crop": "box", "crop_by": "box"}):
        assert tensor_of(read(spec(**how), row, tmp_path)).sum() == 4 * 6 * 2
        assert tensor_of(read(spec(**how, margin=2.0), row, tmp_path)).sum() == 8 * 10 * 4
    nifti(tmp_path, 0 * mask, "mask.nii.gz")
    for how, cell, rule in (
        ("mask", "mask.nii.gz", preparation.EMPTY_MASK),
        ("mask", "none.nii.gz", "mask: file not found"),
        ("mask", "", volume.NO_CROP),
        ("box", "1 2 3", volume.NO_BOX),
        ("box", "1 1 1 99 2 2", volume.NO_BOX),
        ("box", "3 1 1 3 2 2", volume.NO_BOX),
    ):
        found = read(spec(crop=how, crop_by="roi"), row | {"roi": cell}, tmp_path)
        assert found == Reading(None, (rule,))


def test_a_box_is_counted_in_the_files_own_axes(tmp_path: Path) -> None:
    values = np.zeros((SIDE, SIDE, DEEP), dtype=np.int16)
    values[0:4, 0:4, 0:4] = 1000
    nifti(tmp_path, values, spacing=(-1, -1, 2))
    found = tensor_of(read(spec(crop="box", crop_by="box"), {"ct": "a.nii.gz", "box": "0 0 0 4 4 4"}, tmp_path))
    assert found.sum() == 4 * 4 * 4


def test_edges_follow_as_channels_of_their_own(tmp_path: Path) -> None:
    nifti(tmp_path, scene())
    found = tensor_of(read(spec(sobel=True), {"ct": "a.nii.gz"}, tmp_path))
    assert found.shape == (2, SIDE, SIDE, DEEP)
    assert found[1, 7:9, 5, 3].min() > 0.19  # half of the step of 0.4 at x = 8
    assert found[1, 3, 5, 3] == pytest.approx(0.05, abs=1e-3)  # the slope along z alone
    assert (found.min(), found.max() <= 1) == (0, True)


@pytest.mark.parametrize(
    "keys",
    [
        {"window": ((0.0, 1.0), (0.0, 1.0))}, {"window": (1.0, 0.0)}, {"path": ("a", "a")}, {"path": ()}, {"path": ""},
        {"crop": "mask"}, {"crop_by": "x"}, {"margin": 1.0}, {"shape": (4, 16, 16)}, {"window": ((1.0, 0.0),)},
    ],
)  # fmt: skip
def test_a_volume_that_makes_no_sense_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"window|path|crop|shape"):
        spec(**keys)


def test_the_spacing_of_rows_and_of_columns_is_told_apart(tmp_path: Path) -> None:
    """DICOM names the distance of rows first; here they lie twice as far apart as columns do."""
    series(tmp_path / "slices", at(-1, "PixelSpacing", [2.0, 1.0]))
    nifti(tmp_path, scene(), spacing=(1, 2, 2))
    wide = spec(shape=(SIDE, 2 * SIDE, DEEP))
    one, other = (tensor_of(read(wide, {"ct": name}, tmp_path)) for name in ("slices", "a.nii.gz"))
    assert one.numpy() == pytest.approx(other.numpy(), abs=1e-5)
