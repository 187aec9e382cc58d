"""Long tables: windows of a series, notes and codes in the order of time, ready features of another table."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from client.readers import READERS
from client.readers.concepts import number_of
from client.readers.long_table import LEFT_OUT, NO_TIME
from client.readers.reading import NO_TABLE, Case, Reading, Source
from client.readers.table import SEVERAL
from client.table_one import columns_of
from shared.errors import SiteError
from shared.modalities.concepts import Concepts
from shared.modalities.series import Series
from shared.modalities.tabular import Tabular
from shared.modalities.text import Text
from tests.reads import read, tensor_of

LABS = [
    ("P1", "1", "crp", "0"), ("P1", "2", "crp", "100"), ("P2", "3", "hb", "10"), ("P1", "9", "crp", "200"),
    ("P1", "12", "hb", "20"), ("P1", "13", "crp", "50"), ("P1", "5", "sodium", "140"),
]  # fmt: skip
HEADER = ("patient_id", "time", "variable", "value")


def write(path: Path, *rows: tuple[str, ...]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def series(**keys: Any) -> Series:
    variables = {"crp": {"range": (0.0, 200.0), "missing": (-1.0,)}, "hb": {"range": (0.0, 20.0)}}
    return Series.model_validate({"kind": "series", "variables": variables, "hours": 12.0, "steps": 3, **keys})


def test_a_series_is_cut_into_the_steps_before_the_prediction(tmp_path: Path) -> None:
    write(tmp_path / "labs.csv", HEADER, *LABS)
    found = tensor_of(read(series(), {}, tmp_path, time=12.0, timed=True)).numpy()
    crp, hb = found[:, 0], found[:, 1]
    assert crp[0] == pytest.approx([-0.5, -1, 0, 1])  # (0, 4]: 0 and 100
    assert crp[1].tolist() == [0, 0, 0, 0]
    assert crp[2] == pytest.approx([1, 1, 1, 1])  # (8, 12]: 200, and not the 50 of hour 13
    assert hb[2] == pytest.approx([1, 1, 1, 1])  # the moment of the prediction itself
    assert not found[:2, 1].any()
    other = tensor_of(read(series(), {}, tmp_path, "P2", time=12.0, timed=True))
    assert other[0, 1].tolist() == [0, 0, 0, 1]


def test_the_first_step_begins_after_the_window_opens(tmp_path: Path) -> None:
    write(tmp_path / "labs.csv", HEADER, ("P1", "0", "crp", "200"), ("P1", "4", "crp", "100"), ("P1", "8", "crp", "0"))
    found = tensor_of(read(series(), {}, tmp_path, time=12.0, timed=True))
    assert found[:, 0, 0].tolist() == [0, -1, 0]  # hour 0 is out; 4 and 8 each end a step
    assert found[:, 0, 3].tolist() == [1, 1, 0]


def test_without_a_time_of_prediction_the_steps_end_with_the_last_measurement(tmp_path: Path) -> None:
    write(tmp_path / "labs.csv", HEADER, *LABS)
    found = tensor_of(read(series(), {}, tmp_path))
    assert found[2, 0].tolist() == pytest.approx([-0.5, -0.5, -0.5, 1])  # (9, 13]
    assert found[1, 0].tolist() == pytest.approx([1, 1, 1, 1])  # (5, 9]


def test_bad_measurements_are_left_out_and_told_by_rule(tmp_path: Path) -> None:
    cells = ("x", "1,5", "-1", "999", "", "100")
    write(tmp_path / "labs.csv", HEADER, *(("P1", "1", "crp", cell) for cell in cells))
    told = ("not a number, left out", "a decimal comma instead of a point, left out", "a code for missing")
    faults = tuple(f"crp: {rule}" for rule in (*told, "outside [0, 200], left out"))
    found = tensor_of(read(series(), {}, tmp_path), *faults)
    assert found[2, 0].tolist() == [0, 0, 0, 1]


def test_no_table_no_rows_and_nothing_before_the_prediction(tmp_path: Path) -> None:
    assert read(series(), {}, tmp_path) == Reading(None, (NO_TABLE,))
    assert read(series(table="../labs.csv"), {}, tmp_path) == Reading(None, (NO_TABLE,))
    write(tmp_path / "labs.csv", HEADER, *LABS)
    assert read(series(), {}, tmp_path, "P3") == Reading(None)
    assert read(series(), {}, tmp_path, time=0.5, timed=True) == Reading(None)
    assert read(series(), {}, tmp_path, time=float("nan"), timed=True) == Reading(None)


def test_a_bad_row_of_a_table_is_told_with_its_line_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("client.readers.long_table.CHUNK", 2)
    rows = [*LABS, ("P1", "4", "crp", "1", "shift"), ("P1", "noon", "crp", "1"), ("P1",), ("P1", "11", "crp", "0", "")]
    write(tmp_path / "labs.csv", HEADER, *rows)
    reader = READERS["series"](series(), Source(tmp_path, timed=True))
    found = tensor_of(reader.read(Case("P1", {}, 12.0)))
    assert found[2, 0].tolist() == pytest.approx([0, -1, 1, 1])
    assert reader.lines == {f"labs.csv: {LEFT_OUT}": (9,), f"labs.csv: {NO_TIME}": (10, 11)}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"patient,time,variable,value\n", "labs.csv: column patient_id: is missing"),
        (b"patient_id,time,Variable,value\nP1,1,x,2\n", 'the table has "Variable": rename it'),
        (b"patient_id;time;variable;value\n", "its cells are not separated by commas"),
        (b'patient_id,time,variable,value\nP1,1,"x,2\n', "look for a quote that is not closed"),
        (b"patient_id,time,variable,value\nP1,1,\xff,2\n", "is not utf-8 text"),
        (b"patient_id,time,variable,value\n", "has no rows"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(content: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "labs.csv").write_bytes(content)
    with pytest.raises(SiteError) as refused:
        read(series(), {}, tmp_path)
    assert told in str(refused.value)


def test_a_table_is_indexed_once(tmp_path: Path) -> None:
    write(tmp_path / "labs.csv", HEADER, *LABS)
    reader = READERS["series"](series(), Source(tmp_path))
    first = reader.read(Case("P1", {}))
    (tmp_path / "labs.csv").unlink()
    second = reader.read(Case("P1", {}))
    assert first.tensor is not None
    assert second.tensor is not None
    assert first.tensor.equal(second.tensor)


def text(**keys: Any) -> Text:
    return Text.model_validate({"kind": "text", "length": 24, **keys})


def said(reading: Reading, *faults: str) -> str:
    tensor = tensor_of(reading, *faults)
    return bytes(tensor.numpy()).rstrip(b"\0").decode()


def test_text_of_a_cell(tmp_path: Path) -> None:
    assert said(read(text(column="note"), {"note": " über "}, tmp_path)) == "über"
    for cell in ("", "n/a", "  "):
        assert read(text(column="note"), {"note": cell}, tmp_path) == Reading(None)


def test_of_a_long_text_the_last_whole_letters_are_kept(tmp_path: Path) -> None:
    cell = "begin" + "ü" * 12 + "e"
    assert said(read(text(column="note"), {"note": cell}, tmp_path)) == "ü" * 11 + "e"


def test_text_of_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "P1").mkdir()
    for name, content in (("2.txt", b"then"), ("1.txt", b"\xef\xbb\xbffirst"), ("3.txt", b"\xff\xfe")):
        (tmp_path / "P1" / name).write_bytes(content)
    found = read(text(path="{patient}/*.txt"), {}, tmp_path)
    assert said(found, "file is not UTF-8 text, left out") == "first\n\nthen"
    assert read(text(path="{patient}/*.txt"), {}, tmp_path, "P2") == Reading(None)


def test_notes_of_a_table_in_the_order_of_time_and_never_after_the_prediction(tmp_path: Path) -> None:
    rows = [("P1", "9", "late"), ("P1", "3", "third"), ("P1", "1", "first"), ("P1", "3", "again"), ("P1", "x", "never")]
    write(tmp_path / "notes.csv", ("patient_id", "time", "text"), *rows)
    spec = text(table="notes.csv", length=64)
    assert said(read(spec, {}, tmp_path, time=8.0, timed=True)) == "first\n\nthird\n\nagain"
    assert said(read(spec, {}, tmp_path)) == "first\n\nthird\n\nagain\n\nlate"
    write(tmp_path / "notes.csv", ("patient_id", "text"), ("P1", "b"), ("P1", "a"))
    assert said(read(spec, {}, tmp_path)) == "b\n\na"  # as they stand, where no time matters
    with pytest.raises(SiteError, match="column time: is missing"):
        read(spec, {}, tmp_path, timed=True)


def test_codes_are_stable_numbers_and_the_last_ones_are_kept(tmp_path: Path) -> None:
    assert number_of("I21.4") == number_of(" I21.4 ") == 701505218
    spec = Concepts.model_validate({"kind": "concepts", "column": "codes", "separator": ";", "items": 2})
    found = tensor_of(read(spec, {"codes": "a; b;;c"}, tmp_path))
    assert found.tolist() == [number_of("b"), number_of("c")]
    assert tensor_of(read(spec, {"codes": "a"}, tmp_path)).tolist() == [number_of("a"), 0]
    assert read(spec, {"codes": ""}, tmp_path) == Reading(None)
    rows = [("P1", "5", "late"), ("P1", "2", "b"), ("P1", "1", "a"), ("P2", "1", "z"), ("P1", "1.5", "")]
    write(tmp_path / "codes.csv", ("patient_id", "time", "code"), *rows)
    spec = Concepts.model_validate({"kind": "concepts", "table": "codes.csv", "items": 3})
    assert tensor_of(read(spec, {}, tmp_path, time=4.0, timed=True)).tolist() == [number_of("a"), number_of("b"), 0]
    assert read(spec, {}, tmp_path, time=0.0, timed=True) == Reading(None)


def test_ready_features_of_another_table_are_joined_by_patient(tmp_path: Path) -> None:
    numeric = {"f1": {"range": (0.0, 10.0)}, "f2": {"range": (0.0, 10.0)}}
    spec = Tabular.model_validate({"kind": "tabular", "table": "radiomics.csv", "numeric": numeric})
    assert spec.cells == []
    assert read(spec, {"f1": "5"}, tmp_path) == Reading(None, (NO_TABLE,))
    rows = [("P1", "10", "x"), ("P2", "1", "1"), ("P2", "2", "2")]
    write(tmp_path / "radiomics.csv", ("patient_id", "f1", "f2"), *rows)
    told = "f2: not a number, read as missing"
    assert tensor_of(read(spec, {"f1": "5"}, tmp_path), told).tolist() == [1, 0, 0, 1]
    assert read(spec, {}, tmp_path, "P2") == Reading(None, (SEVERAL,))
    assert read(spec, {}, tmp_path, "P3") == Reading(None)


def test_a_table_of_a_hundred_thousand_rows_gives_every_patient(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    patients, times, values = rng.integers(0, 2000, 100_000), rng.uniform(0, 48, 100_000), rng.uniform(0, 200, 100_000)
    columns = zip(patients, times, values, strict=True)
    rows = (f"P{p},{t:.2f},{'crp' if v < 100 else 'hb'},{v:.1f}\n" for p, t, v in columns)
    (tmp_path / "labs.csv").write_text(",".join(HEADER) + "\n" + "".join(rows))
    reader = READERS["series"](series(), Source(tmp_path))
    assert sum(reader.read(Case(f"P{number}", {})).tensor is not None for number in range(200)) == 200


def test_a_variable_that_is_scaled_already_stays_as_it_is(tmp_path: Path) -> None:
    write(tmp_path / "labs.csv", HEADER, ("P1", "1", "crp", "1.5"), ("P1", "1", "hb", "10"))
    spec = series(variables={"crp": {"range": (-5.0, 5.0), "scale": "none"}, "hb": {"range": (0.0, 20.0)}})
    found = tensor_of(read(spec, {}, tmp_path))
    assert found[-1, :, 0].tolist() == [1.5, 0]


def test_a_logarithm_parts_the_range_evenly_in_a_table_and_in_a_series(tmp_path: Path) -> None:
    crp = {"range": (0.1, 1000.0), "scale": "log"}
    table = Tabular.model_validate({"kind": "tabular", "numeric": {"crp": crp}}, strict=False)
    told = [read(table, {"crp": text}, tmp_path) for text in ("0.1", "10", "1000", "0.01")]
    assert [float(tensor_of(one)[0]) for one in told[:3]] == pytest.approx([-1, 0, 1])
    assert told[3].tensor is None, "outside its range"
    write(tmp_path / "labs.csv", HEADER, ("P1", "1", "crp", "10"), ("P1", "1", "hb", "10"))
    spec = series(variables={"crp": crp, "hb": {"range": (0.0, 20.0)}})
    assert tensor_of(read(spec, {}, tmp_path))[-1, :, 0].tolist() == pytest.approx([0, 0], abs=1e-6)
    ((_, in_unit),) = columns_of(table, np.array([[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]), np.ones(3, dtype=bool))
    assert in_unit is not None
    assert in_unit == pytest.approx([0.1, 10, 1000])


def test_rows_of_a_stay_are_found_by_what_the_table_of_patients_names(tmp_path: Path) -> None:
    write(
        tmp_path / "labs.csv", ("stay", "time", "variable", "value"), ("s1", "1", "crp", "0"), ("s2", "1", "crp", "200")
    )
    spec = series(columns={"patient": "stay"})
    assert tensor_of(read(spec, {"stay": "s2"}, tmp_path))[-1, 0, 0] == 1
    assert read(spec, {}, tmp_path) == Reading(None)
