"""Recorded waves: WFDB, DICOM and CSV; leads by name, resampled, in the declared unit and range."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wfdb

from client.readers import reading, signal, waveform
from client.readers.reading import Reading
from client.readers.signal import plain_lead
from shared.modalities.signal import Signal
from tests.reads import read, tensor_of


def ecg(**keys: Any) -> Signal:
    given = {"kind": "signal", "path": "ecg", "leads": ("I", "V1"), "rate": 100.0, "seconds": 4.0, **keys}
    return Signal.model_validate(given)


def wave(seconds: float, rate: float, hertz: float = 2.0) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def record(folder: Path, values: np.ndarray, rate: float, names: list[str], units: list[str]) -> None:
    count = len(names)
    wfdb.wrsamp(
        "r", rate, units, names, p_signal=values, fmt=["16"] * count, adc_gain=[1000.0] * count, baseline=[0] * count,
        write_dir=str(folder),
    )  # fmt: skip


def table(folder: Path, header: str, rate: float, *columns: np.ndarray) -> None:
    rows = zip(np.arange(len(columns[0])) / rate, *columns, strict=True)
    text = "\n".join([header, *(",".join("" if np.isnan(cell) else f"{cell:.6f}" for cell in row) for row in rows)])
    (folder / "r.csv").write_text(text + "\n")


def test_a_record_is_resampled_and_scaled_and_ends_in_zeros(tmp_path: Path) -> None:
    record(tmp_path, np.stack([wave(3, 250), -wave(3, 250)], axis=1), 250, ["I", "V1"], ["mV", "mV"])
    for name in ("r", "r.hea"):
        found = tensor_of(read(ecg(range=(-2.0, 2.0)), {"ecg": name}, tmp_path))
        assert found.shape == (2, 400)
        assert found[0, 10:290].numpy() == pytest.approx(wave(3, 100)[10:290] / 2, abs=0.02)
        assert found[1, 10:290].numpy() == pytest.approx(-wave(3, 100)[10:290] / 2, abs=0.02)
        assert not found[:, 300:].any()


def test_only_the_first_seconds_are_taken_and_values_are_clipped(tmp_path: Path) -> None:
    values = np.concatenate([np.full(400, 9.0), np.full(400, -9.0)])
    record(tmp_path, np.stack([values, values], axis=1), 100, ["I", "V1"], ["mV", "mV"])
    assert tensor_of(read(ecg(), {"ecg": "r"}, tmp_path)).unique().tolist() == [1.0]


def test_units_are_converted_and_a_foreign_one_is_absent(tmp_path: Path) -> None:
    record(tmp_path, np.full((400, 2), 25.0), 100, ["I", "V1"], ["uV", "mmHg"])
    told = "V1: its unit is not mV, and cannot be converted to it"
    found = tensor_of(read(ecg(range=(-0.05, 0.05)), {"ecg": "r"}, tmp_path), told)
    assert found[0].numpy() == pytest.approx(0.5, abs=1e-6)
    assert not found[1].any()
    plain = tensor_of(read(ecg(range=(-50.0, 50.0), unit=""), {"ecg": "r"}, tmp_path))
    assert plain.numpy() == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("MLII", "ii"), ("Lead II", "ii"), ("DII", "ii"), ("ECG II", "ii"), ("MDC_ECG_LEAD_II", "ii"), ("AVR", "avr"),
        ("aVR", "avr"), ("Lead I (Einthoven)", "i"), ("C4", "v4"), ("v4", "v4"), ("Pleth", "pleth"),
    ],
)  # fmt: skip
def test_leads_have_many_names(name: str, plain: str) -> None:
    assert plain_lead(name) == plain


def test_an_absent_lead_is_zeros_and_told(tmp_path: Path) -> None:
    record(tmp_path, np.full((400, 1), 1.0), 100, ["MLI"], ["mV"])
    found = tensor_of(read(ecg(), {"ecg": "r"}, tmp_path), "V1: no such lead in the record")
    assert found[0].min() > 0
    assert not found[1].any()
    spec = ecg(leads=("II",))
    told = ("II: no such lead in the record", signal.NO_LEAD)
    assert read(spec, {"ecg": "r"}, tmp_path) == Reading(None, told)


def test_gaps_are_zeros_and_told(tmp_path: Path) -> None:
    values = np.full(400, 1.0)
    values[100:200] = np.nan
    table(tmp_path, "time,I,V1", 100, values, np.full(400, np.nan))
    found = tensor_of(read(ecg(), {"ecg": "r.csv"}, tmp_path), signal.GAPS, "V1: nothing was recorded")
    assert not found[0, 100:200].any()
    assert found[0, :100].min() > 0


def test_a_csv_has_its_rate_in_its_times_and_units_in_its_names(tmp_path: Path) -> None:
    table(tmp_path, "Time [s],I [uV],V1 (mV)", 200, 1000 * wave(4, 200), wave(4, 200))
    found = tensor_of(read(ecg(), {"ecg": "r.csv"}, tmp_path))
    assert found[0].numpy() == pytest.approx(found[1].numpy(), abs=1e-5)
    assert found[1, 10:-10].numpy() == pytest.approx(wave(4, 100)[10:-10] / 5, abs=0.01)


@pytest.mark.parametrize("content", ["I,V1\n1,2\n", "time,I\n0,1\n", "time,I\n0,1\n1,1\n3,1\n", "time,I\n0,1\n0,1\n"])
def test_a_csv_without_regular_times_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(content)
    assert read(ecg(), {"ecg": "r.csv"}, tmp_path) == Reading(None, (waveform.NO_TIME,))


@pytest.mark.parametrize("content", ["", "time,I\n0,x\n", "\0" * 500, "time,I\n0\n1\n"])
def test_a_broken_csv_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(content)
    found = read(ecg(), {"ecg": "r.csv"}, tmp_path)
    assert found.tensor is None
    assert found.faults in ((signal.UNREADABLE,), (waveform.NO_TIME,))


def test_a_header_may_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    inside = tmp_path / "site"
    inside.mkdir()
    (tmp_path / "secret.dat").write_bytes(np.full(800, 500, dtype="<i2").tobytes())
    for name in ("../secret.dat", str(tmp_path / "secret.dat")):
        (inside / "r.hea").write_text(f"r 1 100 400\n{name} 16 1000/mV 16 0 0 0 0 I\n")
        assert read(ecg(), {"ecg": "r"}, inside) == Reading(None, (signal.UNREADABLE,))
    (inside / "r.hea").write_text("r/2 1 100 400\n../secret 200\nr2 200\n")
    found = read(ecg(), {"ecg": "r"}, inside)
    assert found.tensor is None
    (inside / "l.dat").symlink_to(tmp_path / "secret.dat")
    (inside / "r.hea").write_text("r 1 100 400\nl.dat 16 1000/mV 16 0 0 0 0 I\n")
    assert read(ecg(), {"ecg": "r"}, inside) == Reading(None, (reading.OUTSIDE,))
    assert read(ecg(), {"ecg": "../r"}, inside) == Reading(None, (reading.OUTSIDE,))


def test_bad_records_are_absent_with_a_rule(tmp_path: Path) -> None:
    record(tmp_path, np.full((400, 2), 1.0), 100, ["I", "V1"], ["mV", "mV"])
    whole = (tmp_path / "r.dat").read_bytes()
    (tmp_path / "r.dat").write_bytes(whole[:500])
    assert read(ecg(), {"ecg": "r"}, tmp_path) == Reading(None, (signal.UNREADABLE,))
    (tmp_path / "r.dat").unlink()
    assert read(ecg(), {"ecg": "r"}, tmp_path) == Reading(None, (waveform.NO_SAMPLES,))
    (tmp_path / "r.hea").write_text("no header")
    assert read(ecg(), {"ecg": "r"}, tmp_path) == Reading(None, (signal.UNREADABLE,))
    (tmp_path / "r.hea").write_text("r 1 1000000000 9000000000\nr.dat 16 1000/mV 16 0 0 0 0 I\n")
    (tmp_path / "r.dat").write_bytes(whole)
    assert read(ecg(), {"ecg": "r"}, tmp_path) == Reading(None, (waveform.TOO_LONG,))
    assert read(ecg(), {"ecg": "none"}, tmp_path) == Reading(None, (reading.NOT_FOUND,))
    assert read(ecg(), {"ecg": " "}, tmp_path) == Reading(None)
