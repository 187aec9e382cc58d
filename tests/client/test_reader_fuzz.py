"""Readers over random and damaged files: a tensor of the declared shape or a rule in words, never an exception."""

import io
import math
import struct
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from client.readers import READERS
from client.readers.reading import Case, Source
from shared.errors import SiteError
from shared.modalities import bag, concepts, grid, image, payload, series, signal, tabular, text, volume
from tests.client.test_image_reader import dicom, ramp
from tests.client.test_signal_reader import record

NUMBER = {"range": (0.0, 10.0)}
SIZE = {"spacing": (2.0, 2.0, 2.0), "shape": (8, 8, 8), "window": (0.0, 100.0)}
SPECS: dict[str, list[Any]] = {
    "tabular": [
        tabular.Tabular.model_validate({"kind": "tabular", "numeric": {"cell": NUMBER}}),
        tabular.Tabular.model_validate({"kind": "tabular", "table": "f.csv", "numeric": {"x": NUMBER}}),
    ],
    "series": [
        series.Series.model_validate({
            "kind": "series", "table": "f.csv", "variables": {"x": NUMBER}, "hours": 2.0, "steps": 2,
        }),
    ],
    "signal": [
        signal.Signal.model_validate({"kind": "signal", "path": "cell", "leads": ("I",), "rate": 50.0, "seconds": 1.0})
    ],
    "image": [
        image.Image.model_validate({"kind": "image", "path": "cell", "shape": (1, 16, 16)}),
        image.Image.model_validate({"kind": "image", "path": "{patient}*", "shape": (3, 16, 16)}),
    ],
    "volume": [
        volume.Volume.model_validate({"kind": "volume", "path": "cell", **SIZE}),
        volume.Volume.model_validate({"kind": "volume", "path": "cell", "crop": "box", "crop_by": "box", **SIZE}),
    ],
    "bag": [bag.Bag.model_validate({"kind": "bag", "path": "{patient}*", "items": 2, "shape": (1, 16, 16)})],
    "text": [
        text.Text.model_validate({"kind": "text", "column": "cell", "length": 16}),
        text.Text.model_validate({"kind": "text", "path": "{patient}*", "length": 16}),
        text.Text.model_validate({"kind": "text", "table": "f.csv", "length": 16}),
    ],
    "concepts": [
        concepts.Concepts.model_validate({"kind": "concepts", "column": "cell", "items": 4}),
        concepts.Concepts.model_validate({"kind": "concepts", "table": "f.csv", "items": 4}),
    ],
    "bytes": [payload.Payload.model_validate({"kind": "bytes", "path": "cell", "length": 8})],
    "grid": [
        grid.Grid.model_validate({"kind": "grid", "path": "cell", "frames": 2, "shape": (1, 4, 4), "range": (0.0, 9.0)})
    ],
}  # fmt: skip
EVERY = [(kind, number) for kind, specs in SPECS.items() for number in range(len(specs))]
SUFFIXES = ("", ".nii", ".nii.gz", ".dcm", ".hea", ".csv", ".npy", ".npz", ".png")


def check(spec: Any, folder: Path, case: Case) -> None:
    """Read as an archive does; only a whole table that cannot be used may be refused."""
    reader = READERS[spec.kind](spec, Source(folder))
    try:
        found = reader.read(case)
    except SiteError as refused:
        if "f.csv" not in str(refused):
            raise
        return
    if found.tensor is not None:
        assert tuple(found.tensor.shape) == spec.shape
        assert str(found.tensor.dtype) == f"torch.{spec.dtype}"
        assert found.tensor.float().isfinite().all()
    assert not any("SECRET" in fault or str(folder) in fault for fault in found.faults)


def test_every_registered_reader_is_here() -> None:
    assert set(SPECS) == set(READERS)


@pytest.mark.parametrize(("kind", "number"), EVERY)
@settings(max_examples=40)
@given(content=st.binary(max_size=400), suffix=st.sampled_from(SUFFIXES))
def test_random_bytes(kind: str, number: int, tmp_path_factory: Any, content: bytes, suffix: str) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    for name in (f"P1{suffix}", "f.csv"):
        (folder / name).write_bytes(content)
    check(SPECS[kind][number], folder, Case("P1", {"cell": f"P1{suffix}", "box": "0 0 0 1 1 1"}))


@pytest.mark.parametrize(("kind", "number"), EVERY)
@settings(max_examples=60)
@given(cell=st.text(max_size=40), patient=st.text(max_size=12), time=st.floats())
def test_random_cells(kind: str, number: int, tmp_path_factory: Any, cell: str, patient: str, time: float) -> None:
    folder = tmp_path_factory.getbasetemp()
    check(SPECS[kind][number], folder, Case(patient, {"cell": cell, "box": cell}, time))


def good_files() -> dict[str, bytes]:
    """Small whole files of every format."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        values = np.arange(512, dtype=np.int16).reshape(8, 8, 8)
        nibabel.save(nibabel.Nifti1Image(values, np.diag([2.0, 2, 2, 1])), folder / "v.nii")  # type: ignore[no-untyped-call]
        Pillow.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)).save(folder / "p.png")
        Pillow.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)).save(folder / "p.jpg")
        dicom(folder / "d.dcm", ramp())
        np.save(folder / "g.npy", np.ones((2, 1, 4, 4)))
        np.savez(folder / "g.npz", np.ones((2, 1, 4, 4)))
        record(folder, np.full((100, 1), 1.0), 100, ["I"], ["mV"])
        (folder / "t.csv").write_text("time,I\n" + "".join(f"{place / 100},{place}\n" for place in range(100)))
        return {file.name: file.read_bytes() for file in folder.iterdir()}


GOOD = good_files()
READ_BY = {".nii": "volume", ".png": "image", ".jpg": "image", ".dcm": "image", ".npy": "grid", ".npz": "grid"}
READ_BY |= {".hea": "signal", ".dat": "signal", ".csv": "signal"}


@pytest.mark.parametrize("name", sorted(GOOD))
@settings(max_examples=80)
@given(data=st.data())
def test_whole_files_that_were_cut_or_changed(name: str, tmp_path_factory: Any, data: st.DataObject) -> None:
    content = bytearray(GOOD[name])
    content = content[: data.draw(st.integers(0, len(content)), "kept")]
    for _ in range(data.draw(st.integers(0, 4), "changes") if content else 0):
        place = data.draw(st.integers(0, min(len(content) - 1, 500)), "place")
        content[place] = data.draw(st.integers(0, 255), "byte")
    folder = tmp_path_factory.mktemp("cut")
    for other, whole in GOOD.items():
        (folder / other).write_bytes(bytes(content) if other == name else whole)
    cell = "r" if name in ("r.hea", "r.dat") else name
    check(SPECS[READ_BY[Path(name).suffix]][0], folder, Case("P1", {"cell": cell}))


@pytest.mark.parametrize("shape", [(2**40,), (2**20, 2**20), (-1, 4), (0,)])
def test_an_array_that_claims_to_be_huge(shape: tuple[int, ...], tmp_path: Path) -> None:
    header = repr({"descr": "<f8", "fortran_order": False, "shape": shape}).encode().ljust(117) + b"\n"
    (tmp_path / "g.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"\0" * 64)
    check(SPECS["grid"][0], tmp_path, Case("P1", {"cell": "g.npy"}, math.inf))


def test_a_volume_that_claims_to_be_huge(tmp_path: Path) -> None:
    header = nibabel.Nifti1Header()  # type: ignore[no-untyped-call]
    header.set_data_shape((30000, 30000, 30000))
    header.set_data_dtype(np.int16)
    packed = io.BytesIO()
    header["vox_offset"], header["magic"] = 352, b"n+1"
    header.write_to(packed)
    (tmp_path / "v.nii").write_bytes(packed.getvalue() + b"\0" * 100)
    found = READERS["volume"](SPECS["volume"][0], Source(tmp_path)).read(Case("P1", {"cell": "v.nii"}))
    assert found.tensor is None
    assert "268 million" in found.faults[0]
