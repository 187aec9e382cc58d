"""Readers of volumes and pictures: right for good files, a rule in words for bad ones, never an exception."""

import gzip
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from client.readers import READERS, bag, reading, volume
from client.readers.reading import Case, Reading, Source
from shared.modalities.bag import Bag
from shared.modalities.volume import Volume

CT = Volume.model_validate({
    "kind": "volume", "path": "ct", "spacing": (2.0, 2.0, 2.0), "shape": (16, 16, 8), "window": (-100.0, 300.0),
})  # fmt: skip
SCOPE = Bag.model_validate({"kind": "bag", "path": "scope/{patient}/*.png", "items": 3, "shape": (3, 16, 20)})


def read(spec: Bag | Volume, row: dict[str, str], patient: str, folder: Path) -> Reading:
    return READERS[spec.kind](spec, Source(folder)).read(Case(patient, row))


def _marked() -> tuple[np.ndarray, np.ndarray]:
    """A volume of 1 mm voxels in RAS order that is bright to the patient's right, front and top only."""
    values = np.full((32, 32, 16), -100, dtype=np.int16)
    values[16:, 16:, 8:] = 300
    affine = np.eye(4)
    affine[:3, 3] = (-15.5, -15.5, -7.5)
    return values, affine


def _save(folder: Path, values: np.ndarray, affine: np.ndarray, name: str = "a.nii.gz") -> None:
    nibabel.save(nibabel.Nifti1Image(values, affine), folder / name)  # type: ignore[no-untyped-call]


def test_a_good_volume_is_oriented_resampled_windowed_and_padded(tmp_path: Path) -> None:
    values, affine = _marked()
    _save(tmp_path, values, affine, "ras.nii.gz")
    left = affine.copy()
    left[0] *= -1
    _save(tmp_path, values[::-1], affine @ np.diag([-1, 1, 1, 1]) + _shift(31), "flipped.nii.gz")
    tensors = []
    for name in ("ras.nii.gz", "flipped.nii.gz"):
        found = read(CT, {"ct": name}, "P1", tmp_path)
        assert found.faults == ()
        assert found.tensor is not None
        assert tuple(found.tensor.shape) == CT.shape
        tensors.append(found.tensor)
    assert tensors[0].min() == 0
    assert tensors[0].max() == 1
    assert tensors[0][0, 10:14, 10:14, 5].min() == 1
    assert tensors[0][0, 2:6, 10:14, 5].max() == 0
    assert np.allclose(tensors[0], tensors[1], atol=1e-4)


def _shift(voxels: int) -> np.ndarray:
    """Move the origin along x, as turning the first axis round needs."""
    shift = np.zeros((4, 4))
    shift[0, 3] = voxels
    return shift


def test_an_empty_cell_or_a_missing_column_is_absent_without_a_fault(tmp_path: Path) -> None:
    for row in ({"ct": ""}, {"ct": "  "}, {}):
        assert read(CT, row, "P1", tmp_path) == Reading(None)


def _four_d(folder: Path) -> None:
    _save(folder, np.zeros((4, 4, 4, 2), dtype=np.int16), np.eye(4))


def _truncated(folder: Path) -> None:
    values = np.random.default_rng(0).integers(0, 999, (20, 20, 20)).astype(np.int16)
    _save(folder, values, np.eye(4))
    data = (folder / "a.nii.gz").read_bytes()
    (folder / "a.nii.gz").write_bytes(data[: len(data) // 2])


def _text(folder: Path) -> None:
    (folder / "a.nii.gz").write_text("no picture of patient 4711")


def _not_finite(folder: Path) -> None:
    values = np.zeros((8, 8, 8), dtype=np.float32)
    values[1, 1, 1] = np.nan
    _save(folder, values, np.eye(4))


def _flat(folder: Path) -> None:
    """A file whose first axis has no length: bytes 280 to 295 of the header are the affine's first row."""
    _save(folder, np.zeros((8, 8, 8), dtype=np.int16), np.eye(4), "a.nii")
    content = bytearray((folder / "a.nii").read_bytes())
    content[280:296] = bytes(16)
    (folder / "a.nii.gz").write_bytes(gzip.compress(bytes(content)))


@pytest.mark.parametrize(
    ("write", "rule"),
    [
        (_four_d, volume.NOT_3D),
        (_truncated, volume.UNREADABLE),
        (_text, volume.UNREADABLE),
        (_not_finite, volume.NOT_FINITE),
        (_flat, volume.NO_SPACING),
        (lambda folder: None, reading.NOT_FOUND),
    ],
)
def test_a_bad_volume_is_absent_with_a_rule(write: Callable[[Path], None], rule: str, tmp_path: Path) -> None:
    write(tmp_path)
    assert read(CT, {"ct": "a.nii.gz"}, "P1", tmp_path) == Reading(None, (rule,))


def test_a_path_must_stay_inside_the_folder(tmp_path: Path) -> None:
    inside = tmp_path / "site"
    inside.mkdir()
    _save(tmp_path, *_marked())
    (inside / "link.nii.gz").symlink_to(tmp_path / "a.nii.gz")
    for name in ("../a.nii.gz", str(tmp_path / "a.nii.gz"), "link.nii.gz", "a\0b"):
        assert read(CT, {"ct": name}, "P1", inside) == Reading(None, (reading.OUTSIDE,))


def _pictures(folder: Path, patient: str, count: int, side: int = 40) -> Path:
    place = folder / "scope" / patient
    place.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.new("RGB", (side, side), (255, 0, 40 * number)).save(place / f"{number}.png")
    return place


def test_pictures_are_resized_scaled_and_padded_with_zeros(tmp_path: Path) -> None:
    _pictures(tmp_path, "P1", 2)
    found = read(SCOPE, {}, "P1", tmp_path)
    assert found.faults == ()
    assert found.tensor is not None
    assert tuple(found.tensor.shape) == SCOPE.shape
    assert found.tensor[:2, 0].min() == 1
    assert found.tensor[1, 2].max() == pytest.approx(40 / 255)
    assert not found.tensor[2].any()


def test_a_patient_without_pictures_is_absent_without_a_fault(tmp_path: Path) -> None:
    assert read(SCOPE, {}, "P2", tmp_path) == Reading(None)


def test_a_corrupt_picture_is_left_out_and_told_by_rule(tmp_path: Path) -> None:
    place = _pictures(tmp_path, "P1", 2)
    (place / "0.png").write_bytes((place / "1.png").read_bytes()[:60])
    found = read(SCOPE, {}, "P1", tmp_path)
    assert found.faults == (bag.UNREADABLE,)
    assert found.tensor is not None
    assert found.tensor[0].any()
    assert not found.tensor[1].any()


def test_more_pictures_than_declared_are_counted(tmp_path: Path) -> None:
    _pictures(tmp_path, "P1", 5)
    found = read(SCOPE, {}, "P1", tmp_path)
    assert found.faults == ("more than 3 pictures, the first 3 taken",)
    assert found.tensor is not None
    assert found.tensor[2, 2].max() == pytest.approx(80 / 255)


def test_an_identifier_is_never_a_pattern_or_a_path(tmp_path: Path) -> None:
    _pictures(tmp_path, "P1", 1)
    assert read(SCOPE, {}, "P*", tmp_path) == Reading(None)
    for patient in ("../P1", "a/b", "..", ""):
        assert read(SCOPE, {}, patient, tmp_path) == Reading(None, (reading.BAD_NAME,))


def test_a_picture_must_stay_inside_the_folder(tmp_path: Path) -> None:
    outside = _pictures(tmp_path / "elsewhere", "P1", 1) / "0.png"
    place = tmp_path / "site" / "scope" / "P1"
    place.mkdir(parents=True)
    (place / "0.png").symlink_to(outside)
    assert read(SCOPE, {}, "P1", tmp_path / "site") == Reading(None, (reading.OUTSIDE,))
    for pattern in ("../elsewhere/scope/{patient}/*.png", f"{tmp_path}/elsewhere/scope/{{patient}}/*.png"):
        spec = SCOPE.model_copy(update={"path": pattern})
        assert read(spec, {}, "P1", tmp_path / "site") == Reading(None, (reading.OUTSIDE,))


def test_a_pattern_may_name_the_row_instead_of_the_patient(tmp_path: Path) -> None:
    for name, count in (("lesion-1", 1), ("lesion-2", 2)):
        _pictures(tmp_path, name, count)
    spec = Bag.model_validate({**SCOPE.model_dump(by_alias=True), "path": "scope/{row}/*.png"})
    reader = READERS["bag"](spec, Source(tmp_path))
    for key, count in (("lesion-1", 1), ("lesion-2", 2)):
        found = reader.read(Case("P1", {}, key=key))
        assert found.tensor is not None
        assert int(found.tensor.flatten(1).any(1).sum()) == count
    assert reader.read(Case("P1", {}, key="../lesion-1")) == Reading(None, (reading.BAD_NAME,))
    for path in ("scope/*.png", "scope/{patient}/{row}.png"):
        with pytest.raises(ValueError, match="once"):
            Bag.model_validate({**SCOPE.model_dump(by_alias=True), "path": path})
