"""Single pictures: PNG, JPEG and DICOM of 8 and 16 bits, inverted, with palette, in colour and with several frames."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from client.readers import picture, reading
from client.readers.image import NO_CHANNEL, SEVERAL
from client.readers.reading import Reading
from shared.modalities.image import Image
from tests.reads import read, tensor_of


def image(**keys: Any) -> Image:
    return Image.model_validate({"kind": "image", "path": "xray", "shape": (1, 16, 16), **keys})


def dicom(path: Path, pixels: np.ndarray, **tags: Any) -> Path:
    """A DICOM picture as a device writes it."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = SecondaryCaptureImageStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    bits = 8 * pixels.itemsize
    data.Rows, data.Columns = pixels.shape[:2] if pixels.shape[-1] == 3 else pixels.shape[-2:]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit = bits, bits, bits - 1
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    data.PixelData = pixels.tobytes()
    for name, value in tags.items():
        setattr(data, name, value)
    data.save_as(path, enforce_file_format=True)
    return path


def ramp(kind: str = "<u2") -> np.ndarray:
    """16 x 16, columns from 0 to 1500."""
    return np.tile(np.arange(16) * 100, (16, 1)).astype(kind)


def test_eight_bits_are_scaled_and_resized(tmp_path: Path) -> None:
    Pillow.new("L", (40, 30), 51).save(tmp_path / "a.png")
    Pillow.new("RGB", (40, 30), (255, 0, 0)).save(tmp_path / "b.jpg", quality=100)
    assert tensor_of(read(image(), {"xray": "a.png"}, tmp_path)).numpy() == pytest.approx(0.2)
    red = tensor_of(read(image(shape=(3, 20, 16)), {"xray": "b.jpg"}, tmp_path))
    assert red.shape == (3, 20, 16)
    assert red[0].min() > 0.98
    assert red[1:].max() < 0.02


def test_a_png_of_sixteen_bits_keeps_its_range_or_takes_the_window(tmp_path: Path) -> None:
    Pillow.fromarray(ramp()).save(tmp_path / "a.png")
    whole = tensor_of(read(image(), {"xray": "a.png"}, tmp_path))
    assert whole[0, 0].numpy() == pytest.approx(np.arange(16) * 100 / 65535, abs=1e-6)
    windowed = tensor_of(read(image(window=(500.0, 1000.0)), {"xray": "a.png"}, tmp_path))
    assert windowed[0, 0].numpy() == pytest.approx(np.clip((np.arange(16) * 100 - 500) / 500, 0, 1), abs=1e-6)


def test_a_palette_and_a_turned_photograph(tmp_path: Path) -> None:
    colours = Pillow.new("P", (16, 16), 1)
    colours.putpalette([0, 0, 0, 0, 255, 0])
    colours.save(tmp_path / "p.png")
    green = tensor_of(read(image(shape=(3, 16, 16)), {"xray": "p.png"}, tmp_path))
    assert green[1].min() == 1
    assert green[0].max() == 0
    photo, exif = Pillow.new("L", (32, 32), 0), Pillow.Exif()
    photo.paste(255, (0, 0, 32, 16))
    exif[0x0112] = 3  # upside down
    photo.save(tmp_path / "t.jpg", exif=exif, quality=100)
    turned = tensor_of(read(image(), {"xray": "t.jpg"}, tmp_path))
    assert turned[0, 0].mean() < 0.05
    assert turned[0, -1].mean() > 0.95


def test_a_dicom_is_rescaled_and_windowed_by_the_study_by_itself_or_by_its_own_values(tmp_path: Path) -> None:
    dicom(tmp_path / "a.dcm", ramp("<i2"), RescaleSlope=2, RescaleIntercept=-1000)
    values = np.arange(16) * 200 - 1000
    declared = tensor_of(read(image(window=(-200.0, 600.0)), {"xray": "a.dcm"}, tmp_path))
    assert declared[0, 3].numpy() == pytest.approx(np.clip((values + 200) / 800, 0, 1), abs=1e-6)
    plain = tensor_of(read(image(), {"xray": "a.dcm"}, tmp_path))
    assert plain[0, 3].numpy() == pytest.approx(np.arange(16) / 15, abs=1e-6)
    dicom(tmp_path / "b.dcm", ramp("<i2"), WindowCenter=["500", "1"], WindowWidth=["200", "2"])
    own = tensor_of(read(image(), {"xray": "b.dcm"}, tmp_path))
    assert own[0, 3].numpy() == pytest.approx(np.clip((np.arange(16) * 100 - 400) / 200, 0, 1), abs=1e-6)


def test_an_inverted_dicom_is_turned_round(tmp_path: Path) -> None:
    dicom(tmp_path / "a.dcm", ramp(), PhotometricInterpretation="MONOCHROME1")
    found = tensor_of(read(image(), {"xray": "a.dcm"}, tmp_path))
    assert found[0, 0].numpy() == pytest.approx(1 - np.arange(16) / 15, abs=1e-6)


def test_colours_palettes_and_frames_of_a_dicom(tmp_path: Path) -> None:
    spec = image(shape=(3, 16, 16))
    red = np.zeros((16, 16, 3), dtype=np.uint8)
    red[..., 0] = 255
    dicom(tmp_path / "rgb.dcm", red, PhotometricInterpretation="RGB", SamplesPerPixel=3, PlanarConfiguration=0)
    found = tensor_of(read(spec, {"xray": "rgb.dcm"}, tmp_path))
    assert (found[0].min(), found[1:].max()) == (1, 0)
    table = {f"{colour}PaletteColorLookupTableDescriptor": [2, 0, 16] for colour in ("Red", "Green", "Blue")}
    shades = {"Red": [0, 0], "Green": [0, 65535], "Blue": [0, 0]}
    table |= {
        f"{colour}PaletteColorLookupTableData": np.array(values, "<u2").tobytes() for colour, values in shades.items()
    }
    dicom(tmp_path / "p.dcm", np.ones((16, 16), np.uint8), PhotometricInterpretation="PALETTE COLOR", **table)
    found = tensor_of(read(spec, {"xray": "p.dcm"}, tmp_path))
    assert (found[1].min(), found[0].max()) == (1, 0)
    frames = np.stack([ramp(), np.zeros((16, 16), "<u2")])
    dicom(tmp_path / "f.dcm", frames, NumberOfFrames=2)
    assert tensor_of(read(spec, {"xray": "f.dcm"}, tmp_path)).max() == 1


def test_bad_pictures_are_absent_with_a_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = dicom(tmp_path / "good.dcm", ramp())
    (tmp_path / "cut.dcm").write_bytes(good.read_bytes()[:-40])
    (tmp_path / "text.png").write_text("no picture")
    Pillow.new("L", (20, 20)).save(tmp_path / "gif.gif")
    (tmp_path / "gif.png").write_bytes((tmp_path / "gif.gif").read_bytes())
    for name in ("cut.dcm", "text.png", "gif.png"):
        assert read(image(), {"xray": name}, tmp_path) == Reading(None, (picture.UNREADABLE,))
    dicom(tmp_path / "huge.dcm", ramp(), Rows=60000, Columns=60000)
    assert read(image(), {"xray": "huge.dcm"}, tmp_path) == Reading(None, (picture.HUGE,))
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 300)
    Pillow.new("L", (20, 20)).save(tmp_path / "bomb.png")
    assert read(image(), {"xray": "bomb.png"}, tmp_path) == Reading(None, (picture.UNREADABLE,))
    assert read(image(), {"xray": "../x.png"}, tmp_path) == Reading(None, (reading.OUTSIDE,))
    assert read(image(), {"xray": "none.png"}, tmp_path) == Reading(None, (reading.NOT_FOUND,))
    assert read(image(), {"xray": ""}, tmp_path) == Reading(None)


def test_a_dicom_without_a_picture(tmp_path: Path) -> None:
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID, data.PatientID = SecondaryCaptureImageStorage, generate_uid(), "SECRET"
    data.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    assert read(image(), {"xray": "a.dcm"}, tmp_path) == Reading(None, (picture.NO_PIXELS,))


def test_a_pattern_takes_the_first_picture_and_says_so(tmp_path: Path) -> None:
    spec = image(path="xray/{patient}*.png")
    (tmp_path / "xray").mkdir()
    assert read(spec, {}, tmp_path) == Reading(None)
    for number, shade in enumerate((255, 0)):
        Pillow.new("L", (16, 16), shade).save(tmp_path / "xray" / f"P1-{number}.png")
    assert tensor_of(read(spec, {}, tmp_path), SEVERAL).min() == 1


def test_several_columns_are_channels_and_a_patient_who_lacks_one_lacks_the_modality(tmp_path: Path) -> None:
    spec = image(path=("front", "side"))
    assert spec.shape == (2, 16, 16)
    assert spec.cells == ["front", "side"]
    for name, grey in (("a", 51), ("b", 204)):
        Pillow.new("L", (20, 20), grey).save(tmp_path / f"{name}.png")
    found = tensor_of(read(spec, {"front": "a.png", "side": "b.png"}, tmp_path))
    assert tuple(found.shape) == spec.shape
    assert found[0].unique().tolist() == pytest.approx([0.2])
    assert found[1].unique().tolist() == pytest.approx([0.8])
    assert read(spec, {"front": "a.png", "side": ""}, tmp_path) == Reading(None, ("side: " + NO_CHANNEL,))
    assert read(spec, {"front": "a.png", "side": "c.png"}, tmp_path) == Reading(None, (reading.NOT_FOUND,))
    assert read(spec, {"front": "", "side": ""}, tmp_path) == Reading(None)
    for paths in (("front", "x/{patient}.png"), ("front", "front"), ("front", "")):
        with pytest.raises(ValueError, match=r"several pictures|different columns"):
            image(path=paths)
