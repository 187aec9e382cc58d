"""A check of a folder with every kind of file: what will be read, and each fault with its line, never a value."""

import csv
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from client.archive import Archive
from client.check import findings_of
from client.check_page import check_and_print, reading_table
from client.page import page
from client.site import Site
from shared.command_line import run_command
from shared.study_file import load_study
from tests import small
from tests.client.test_signal_reader import record
from tests.small import hospital

KINDS = """
[modalities.labs]
kind = "series"
table = "labs.csv"
hours = 24.0
steps = 4
variables.sodium = { range = [100, 180] }

[modalities.ecg]
kind = "signal"
path = "ecg"
leads = ["I"]
rate = 100.0
seconds = 2.0

[modalities.xray]
kind = "image"
path = "xray"
shape = [1, 32, 32]

[modalities.ct]
kind = "volume"
path = "ct"
spacing = [2.0, 2.0, 2.0]
shape = [8, 8, 8]
window = [0, 100]

[modalities.notes]
kind = "text"
path = "notes/{patient}.txt"

[modalities.codes]
kind = "concepts"
column = "codes"

[modalities.session]
kind = "bytes"
path = "session"

[modalities.radar]
kind = "grid"
path = "radar"
frames = 2
shape = [1, 4, 4]
range = [0, 10]

[sites]"""
NAMES = ("labs", "ecg", "xray", "ct", "notes", "codes", "session", "radar")
COLUMNS = ("ecg", "xray", "ct", "codes", "session", "radar")
GOOD = ("r", "x.png", "v.nii", "I21 E11", "s.bin", "g.npy")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Lines 2 and 3 have everything, line 4 has bad files, line 5 paths that lead out, the others nothing."""
    made = hospital(tmp_path)
    folder, table = made.data, made.data / "patients.csv"
    rows = list(csv.reader(table.read_text().splitlines()))
    bad = ("bad.hea", "bad.png", "bad.nii", "", "none.bin", "bad.npy")
    out = ("../r", "../x.png", "../v.nii", "", "../s.bin", "../g.npy")
    cells = [COLUMNS, GOOD, GOOD, bad, out, *([("",) * 6] * (len(rows) - 5))]
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([*row, *more] for row, more in zip(rows, cells, strict=True))
    record(folder, np.full((200, 1), 1.0), 100, ["I"], ["mV"])
    Image.new("L", (40, 40), 99).save(folder / "x.png")
    nibabel.save(nibabel.Nifti1Image(np.ones((9, 9, 9), np.int16), np.eye(4)), folder / "v.nii")  # type: ignore[no-untyped-call]
    (folder / "s.bin").write_bytes(b"GET /")
    np.save(folder / "g.npy", np.ones((2, 1, 4, 4)))
    for name in ("bad.hea", "bad.png", "bad.nii", "bad.npy"):
        (folder / name).write_text("SECRET of 4711")
    (folder / "notes").mkdir()
    (folder / "notes" / "north-0.txt").write_text("SECRET note")
    (folder / "notes" / "north-1.txt").write_bytes(b"\xff\xfe")
    lines = ["patient_id,time,variable,value", "north-0,1,sodium,140"]
    lines += ["north-1,2,sodium,SECRET", "north-2,x,sodium,140"]
    (folder / "labs.csv").write_text("\n".join(lines) + "\n")
    return made


@pytest.fixture
def study(tmp_path: Path) -> Path:
    primary = "+".join(("clinical", "blood", *NAMES))
    text = small.STUDY.replace("\n[sites]", KINDS).replace('"clinical+blood"', f'"{primary}"')
    path = tmp_path / "kinds.toml"
    path.write_text(text + '\n[fusion]\ncombinations = "primary"\n')
    return path


def test_every_kind_is_told_with_counts_shapes_memory_time_and_faults(
    site: Site, study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(site.data.rglob("*"))
    assert run_command(lambda: check_and_print(site.data / "site.toml", str(study), [])) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert sorted(site.data.rglob("*")) == before
    told = " ".join(out.split())
    for part in (
        "labs 1 39 4 x 1 x 4", "ecg 2 38 1 x 200", "xray 2 38 1 x 32 x 32", "ct 2 38 1 x 8 x 8 x 8", "notes 1 39 4096",
        "codes 2 38 64", "session 2 38 784", "radar 2 38 2 x 1 x 4 x 4", "8 in ",
        "labs: sodium: not a number, left out 1 3",
        "labs: labs.csv: a time that is not a number, row left out 1 4",
        "ecg: record is truncated or not WFDB, DICOM or CSV 1 4", "ecg: path leaves the hospital's folder 1 5",
        "xray: picture is truncated or not readable 1 4", "xray: path leaves the hospital's folder 1 5",
        "ct: file is truncated or not NIfTI 1 4", "ct: path leaves the hospital's folder 1 5",
        "notes: file is not UTF-8 text, left out 1 3",
        "session: file not found 1 4", "session: path leaves the hospital's folder 1 5",
        "radar: file is truncated or not a NumPy array of numbers 1 4", "radar: path leaves the hospital's folder 1 5",
    ):  # fmt: skip
        assert part in told, part
    for secret in ("SECRET", "4711", "north-", str(site.data)):
        assert secret not in out


def test_memory_is_that_of_all_patients_as_they_are_kept(site: Site, study: Path) -> None:
    found = findings_of(Archive(site), load_study(study))
    xray = next(modality for modality in found.modalities if modality.name == "xray")
    kept = Archive(site).reading(load_study(study), "xray").prepared
    assert xray.survey.bytes_each * len(xray.present) == kept.numel() * kept.element_size()
    assert xray.survey.shape == tuple(kept.shape[1:])


def test_two_hospitals_stand_in_one_table(site: Site, study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = Archive(site, site.state / "cache")
    findings_of(kept, load_study(study))
    again = findings_of(Archive(site, site.state / "cache"), load_study(study))
    page().print(reading_table([again, again]))
    out = " ".join(capsys.readouterr().out.split())
    assert "xray north 2 38 1 x 32 x 32" in out
    assert "from the cache" in out


def test_a_table_that_cannot_be_used_is_refused_with_exit_code_2(
    site: Site, study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (site.data / "labs.csv").write_text("patient_id,time,Variable,value\nnorth-0,1,sodium,140\n")
    assert run_command(lambda: check_and_print(site.data / "site.toml", str(study), [])) == 2
    out, err = capsys.readouterr()
    assert 'labs.csv: column variable: is missing (the table has "Variable": rename it)' in err
    assert "Traceback" not in out + err
