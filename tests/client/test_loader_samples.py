"""Real files of many makers: the good ones load, the bad ones are refused by rule, and none is an exception."""

from pathlib import Path
from typing import Any

import pytest

from client.readers import dicom_series, picture, signal, volume, waveform
from client.readers.reading import Reading
from shared.modalities.image import Image
from shared.modalities.signal import Signal
from shared.modalities.volume import Volume
from tests.reads import read, tensor_of

SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "loader-samples"
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the loader samples are not on this machine")

XRAY = Image.model_validate({"kind": "image", "path": "file", "shape": (3, 64, 64)})


def mri(channels: int = 1) -> Volume:
    given = {"spacing": (4.0, 4.0, 4.0), "shape": (32, 32, 16), "window": (0.0, 1000.0), "channels": channels}
    return Volume.model_validate({"kind": "volume", "path": "file", **given})


def wave(*leads: str, **keys: Any) -> Signal:
    given = {"path": "file", "leads": leads, "rate": 100.0, "seconds": 5.0, **keys}
    return Signal.model_validate({"kind": "signal", **given})


GOOD = [
    ("dicom/CT_small.dcm", XRAY), ("dicom/MR_small.dcm", XRAY), ("dicom/JPEG2000.dcm", XRAY),
    ("dicom/examples_ybr_color.dcm", XRAY), ("dicom/liver_1frame.dcm", XRAY),
    ("dicom/waveform_ecg.dcm", wave("I", "aVR", "V1", "V6")),
    ("nifti/anatomical.nii", mri()), ("nifti/example4d.nii.gz", mri(2)), ("nifti/functional.nii", mri(20)),
    ("nifti/example_nifti2.nii.gz", mri(2)),
    ("wfdb/100", wave("II", "V5")), ("wfdb/04827_lr", wave("I", "II", "aVF", "V6")), ("wfdb/a103l", wave("II", "V")),
    ("wfdb/03700181", wave("MCL1")), ("wfdb/03700181", wave("ABP", unit="mmHg", range=(0.0, 200.0))),
]  # fmt: skip
BAD = [
    ("dicom/MR_truncated.dcm", XRAY, picture.UNREADABLE),
    ("dicom/rtstruct.dcm", XRAY, picture.UNREADABLE),
    ("dicom/waveform_ecg.dcm", XRAY, picture.NO_PIXELS),
    ("nifti/anatomical.nii", XRAY, picture.UNREADABLE),
    ("dicom/CT_small.dcm", wave("I"), waveform.NO_WAVE),
    ("dicom/rtstruct.dcm", wave("I"), signal.UNREADABLE),
    ("wfdb/100.atr", wave("I"), signal.UNREADABLE),
    ("nifti/example4d.nii.gz", mri(), volume.NOT_3D),
    ("nifti/functional.nii", mri(3), volume.CHANNELS),
    ("dicom/CT_small.dcm", mri(), volume.UNREADABLE),
    ("dicom", mri(), dicom_series.NOT_DICOM),
]


@pytest.mark.parametrize(("file", "spec"), GOOD, ids=str)
def test_a_good_file_loads(file: str, spec: Any) -> None:
    found = tensor_of(read(spec, {"file": file}, SAMPLES))
    assert tuple(found.shape) == spec.shape
    assert found.isfinite().all()
    assert all(part.std() > 0 for part in found)


@pytest.mark.parametrize(("file", "spec", "rule"), BAD, ids=str)
def test_a_bad_file_is_refused(file: str, spec: Any, rule: str) -> None:
    found = read(spec, {"file": file}, SAMPLES)
    assert found.tensor is None
    assert rule in found.faults
    assert found == Reading(None, (rule,))


def test_every_sample_is_in_one_of_the_lists() -> None:
    listed = {Path(file).name.split(".")[0] for file, *_ in [*GOOD, *BAD]}
    assert {file.name.split(".")[0] for file in SAMPLES.glob("*/*")} <= listed


@pytest.mark.parametrize(("file", "spec"), GOOD, ids=str)
def test_every_kind_of_reader_survives_every_file(file: str, spec: Any) -> None:
    for other in (XRAY, mri(), wave("I")):
        assert isinstance(read(other, {"file": file}, SAMPLES), Reading)
