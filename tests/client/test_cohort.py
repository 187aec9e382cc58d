"""Dirty tables: each fault is refused with its remedy, or counted by rule and line; no message tells a value."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from client.archive import Archive
from client.cohort import SHORT, TABLE, Cohort, near, read_cohort
from client.site import Limits, Site
from shared.errors import SiteError, StudyError
from shared.study import Study
from shared.study_file import load_study
from tests.small import STUDY, hospital, small_study

HEADER = ["patient_id", "ill", "age", "sex", "crp", "hb"]
GOOD = [["SECRET-1", "yes", "50", "f", "173.25", "10"], ["SECRET-2", "no", "60", "m", "5", "11"]]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return small_study(tmp_path_factory.mktemp("study"))


def _site(folder: Path, encoding: str = "utf-8") -> Site:
    limits = Limits(max_epsilon=10.0)
    return Site(name="north", data=folder, state=folder / "state", encoding=encoding, limits=limits)


def _write(folder: Path, rows: list[list[str]], header: list[str] | None = None) -> Site:
    text = io.StringIO()
    csv.writer(text).writerows([HEADER if header is None else header, *rows])
    (folder / TABLE).write_bytes(text.getvalue().encode())
    return _site(folder)


def _refusal(site: Site, study: Study) -> str:
    with pytest.raises(SiteError) as caught:
        read_cohort(site, study)
    text = str(caught.value)
    _without_patients(text)
    assert all(problem.remedy for problem in caught.value.problems)
    return text


def _without_patients(text: str) -> None:
    assert "SECRET" not in text
    assert "173" not in text


def _faults(site: Site, study: Study, modality: str) -> dict[str, tuple[int, ...]]:
    faults = Archive(site).reading(study, modality).faults
    _without_patients(str(faults))
    return faults


def _excluded(cohort: Cohort) -> dict[str, tuple[int, ...]]:
    _without_patients(str(cohort.excluded_lines))
    assert {rule: len(lines) for rule, lines in cohort.excluded_lines.items()} == cohort.excluded
    return dict(cohort.excluded_lines)


def test_a_good_table_is_read_whole(study: Study, tmp_path: Path) -> None:
    cohort = read_cohort(_write(tmp_path, GOOD), study)
    assert [unit.patient for unit in cohort.units] == ["SECRET-1", "SECRET-2"]
    assert [unit.line for unit in cohort.units] == [2, 3]
    assert cohort.outcome.tolist() == [[1], [0]]
    assert (cohort.excluded, cohort.noted_lines, cohort.columns) == ({}, {}, tuple(HEADER))


def test_no_folder_and_no_table_are_refused(study: Study, tmp_path: Path) -> None:
    assert "patients.csv: no such file in the hospital's folder" in _refusal(_site(tmp_path), study)
    (tmp_path / TABLE).mkdir()
    assert "patients.csv: cannot be opened" in _refusal(_site(tmp_path), study)


@pytest.mark.parametrize("content", ["", "\n\n", ",".join(HEADER) + "\n", ",".join(HEADER) + "\n,,,,,\n\n"])
def test_an_empty_table_is_refused(content: str, study: Study, tmp_path: Path) -> None:
    (tmp_path / TABLE).write_text(content)
    assert "patients.csv: has no patients" in _refusal(_site(tmp_path), study)


def test_missing_columns_are_told_at_once_with_a_likely_name(study: Study, tmp_path: Path) -> None:
    text = _refusal(_write(tmp_path, GOOD, ["Patient ID", "outcome", *HEADER[2:]]), study)
    assert 'column patient_id: is missing (the table has "Patient ID": rename it, or write columns' in text
    assert "column ill: is missing (add it, or rename the column that is meant)" in text


def test_a_table_without_a_header_shows_none_of_its_cells(study: Study, tmp_path: Path) -> None:
    assert "column patient_id: is missing" in _refusal(_write(tmp_path, GOOD[1:], GOOD[0]), study)


def test_a_column_that_stands_twice_is_refused(study: Study, tmp_path: Path) -> None:
    text = _refusal(_write(tmp_path, [[*row, "x"] for row in GOOD], [*HEADER, "age"]), study)
    assert text == "patients.csv: column age: stands twice (keep one)"


@pytest.mark.parametrize(("sign", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_another_separator_is_refused(sign: str, name: str, study: Study, tmp_path: Path) -> None:
    (tmp_path / TABLE).write_text("\n".join(sign.join(row) for row in [HEADER, *GOOD]))
    assert f"its cells are separated by {name} (export it with commas)" in _refusal(_site(tmp_path), study)


def test_a_quote_that_is_not_closed_swallows_no_patients(study: Study, tmp_path: Path) -> None:
    _write(tmp_path, GOOD)
    with (tmp_path / TABLE).open("a") as file:
        file.write('SECRET-3,yes,"50,f,1,1\nSECRET-4,no,50,f,1,1\n')
    assert "is not a table of comma-separated values (look for a quote" in _refusal(_site(tmp_path), study)


def test_an_encoding_is_declared_and_never_guessed(study: Study, tmp_path: Path) -> None:
    rows = [[*row, "Königsallee"] for row in GOOD]
    text = "\n".join(",".join(row) for row in [[*HEADER, "straße"], *rows])
    (tmp_path / TABLE).write_bytes(text.encode("latin-1"))
    assert _refusal(_site(tmp_path), study) == (
        'patients.csv: is not utf-8 text (write its encoding into site.toml: encoding = "latin-1")'
    )
    cohort = read_cohort(_site(tmp_path, "latin-1"), study)
    assert cohort.patients == 2
    assert cohort.columns[-1] == "straße"
    assert "site.toml: encoding: no such encoding" in _refusal(_site(tmp_path, "latin-99"), study)
    assert "is not utf-16 text" in _refusal(_site(tmp_path, "utf-16"), study)


def test_a_byte_order_mark_and_windows_lines_are_no_matter(study: Study, tmp_path: Path) -> None:
    plain = read_cohort(_write(tmp_path, GOOD), study)
    text = "\r\n".join(",".join(row) for row in [HEADER, *GOOD])
    (tmp_path / TABLE).write_bytes(b"\xef\xbb\xbf" + text.encode())
    marked = read_cohort(_site(tmp_path), study)
    assert (marked.patients, marked.columns) == (plain.patients, plain.columns)


def test_copies_are_kept_once_and_rows_that_differ_not_at_all(study: Study, tmp_path: Path) -> None:
    changed = [[*GOOD[1][:2], "61", *GOOD[1][3:]]]
    spaced = [[f" {cell} " for cell in GOOD[0]]]
    cohort = read_cohort(_write(tmp_path, [*GOOD, *spaced, *changed]), study)
    assert [unit.patient for unit in cohort.units] == ["SECRET-1"]
    assert _excluded(cohort) == {"a copy of another row": (4,), "several rows of one identifier that differ": (3, 5)}


def test_a_missing_or_unknown_outcome_and_identifier_are_counted(study: Study, tmp_path: Path) -> None:
    rows = [["SECRET-3", "", *GOOD[0][2:]], ["SECRET-4", "maybe", *GOOD[0][2:]], ["", "yes", *GOOD[0][2:]]]
    rows.append(["SECRET-5", "n/a", *GOOD[0][2:]])
    assert _excluded(read_cohort(_write(tmp_path, [*GOOD, *rows]), study)) == {
        "outcome missing": (4, 7),
        "outcome not one of the study's values": (5,),
        "no patient identifier": (6,),
    }


def test_without_an_eligible_patient_the_folder_is_refused(study: Study, tmp_path: Path) -> None:
    rows = [[row[0], outcome, *row[2:]] for row, outcome in zip(GOOD, ["", "173"], strict=True)]
    text = _refusal(_write(tmp_path, rows), study)
    assert "no row is an eligible patient: 1 x outcome missing, 1 x outcome not one of" in text


def test_trailing_empty_cells_are_no_matter_and_a_shifted_row_is_left_out(study: Study, tmp_path: Path) -> None:
    rows = [[*GOOD[0], "", ""], GOOD[1], ["SECRET-3", "yes", "50", "5", "f", "173", "10"], ["SECRET-4", "no", "50"]]
    rows.append(["", "no"])  # left out for another reason, so not told among those that were kept
    cohort = read_cohort(_write(tmp_path, rows), study)
    assert [unit.patient for unit in cohort.units] == ["SECRET-1", "SECRET-2", "SECRET-4"]
    assert _excluded(cohort) == {
        "more cells than columns: a comma without quotes shifts the others": (4,),
        "no patient identifier": (6,),
    }
    assert cohort.noted_lines == {SHORT: (5,)}
    assert cohort.units[-1].row["hb"] == ""


def test_unnamed_trailing_columns_are_no_matter(study: Study, tmp_path: Path) -> None:
    cohort = read_cohort(_write(tmp_path, [[*row, "", "x"] for row in GOOD], [*HEADER, "", ""]), study)
    assert cohort.patients == 2
    assert cohort.excluded == {}


@pytest.mark.parametrize(
    ("column", "cell", "rule"),
    [
        ("crp", "1173.25", "crp: outside [0, 200], read as missing"),
        ("crp", "inf", "crp: outside [0, 200], read as missing"),
        ("crp", "173,25", "crp: a decimal comma instead of a point, read as missing"),
        ("crp", "-1", "crp: a code for missing"),
        ("sex", "SECRET", "sex: not one of f, m, read as missing"),
        ("sex", "9", "sex: a code for missing"),
        ("crp", "NA", None),
        ("sex", "?", None),
    ],
)
def test_a_cell_that_cannot_be_read_is_missing_and_counted(
    column: str, cell: str, rule: str | None, study: Study, tmp_path: Path
) -> None:
    text = STUDY.replace('unit = "mg/l"', 'unit = "mg/l", missing = [-1]').replace('"m"] }', '"m"], missing = ["9"] }')
    (tmp_path / "coded.toml").write_text(text, encoding="utf-8")
    coded = load_study(tmp_path / "coded.toml")
    rows = [list(row) for row in GOOD]
    rows[1][HEADER.index(column)] = cell
    site = _write(tmp_path, rows)
    modality = "blood" if column == "crp" else "clinical"
    assert _faults(site, coded, modality) == ({rule: (3,)} if rule else {})
    prepared = Archive(site).reading(coded, modality)
    assert prepared.present.all()
    # the value reads as zero in the scaled vector, and its own missing indicator says so
    indicator = {"crp": -2, "sex": -1}[column]
    assert prepared.prepared[:, indicator].tolist() == [0, 1]


def test_a_whole_column_or_modality_missing_is_handled_by_the_mask(study: Study, tmp_path: Path) -> None:
    site = _write(tmp_path, [row[:2] + row[3:4] for row in GOOD], ["patient_id", "ill", "sex"])
    archive = Archive(site)
    assert archive.reading(study, "clinical").present.tolist() == [True, True]
    assert archive.reading(study, "blood").present.tolist() == [False, False]
    batch = archive.batch(study)
    assert len(batch) == 2
    assert bool(batch.inputs["clinical"].isfinite().all())


def test_one_bad_row_does_not_stop_a_site(study: Study, tmp_path: Path) -> None:
    bad = [["SECRET-9", "yes", "\0", "\N{SNOWMAN}", "1e999", "--"], ["SECRET-8"], ["x" * 300, "no", *[""] * 4]]
    cohort = read_cohort(_write(tmp_path, [*GOOD, *bad]), study)
    assert cohort.patients == 4
    assert cohort.outcome.dtype == np.float32
    assert set(_faults(_site(tmp_path), study, "blood")) == {
        "crp: outside [0, 200], read as missing",
        "hb: not a number, read as missing",
    }


@pytest.mark.parametrize(
    ("name", "columns", "meant"),
    [
        ("age", ["Age (years)", "sex"], "Age (years)"),
        ("patient_id", ["PatientID"], "PatientID"),
        ("bmi", ["BMI [kg/m2]"], "BMI [kg/m2]"),
        ("hoarseness", ["hoarsness"], "hoarsness"),
        ("age", ["crp", "", "()"], None),
    ],
)
def test_a_likely_column_is_found_by_its_bare_name(name: str, columns: list[str], meant: str | None) -> None:
    assert near(name, columns) == meant


def test_a_patient_may_have_several_rows_where_the_study_names_them(tmp_path: Path) -> None:
    study = small_study(tmp_path, 'unit.row="lesion"', 'unit.time="hour"')
    (tmp_path / "patients.csv").write_text(
        "patient_id,lesion,hour,ill,age,sex,crp,hb\n"
        "SECRET-1,a,5,yes,40,f,1,1\nSECRET-2,b,6,no,40,f,1,1\nSECRET-1,c,7.5,no,41,f,1,1\n"
        "SECRET-2,,8,no,40,f,1,1\nSECRET-3,d,soon,no,40,f,1,1\nSECRET-3,a,9,no,40,f,1,1\nSECRET-3,e,,no,40,f,1,1\n"
    )
    limits = Limits(max_epsilon=1.0)
    cohort = read_cohort(Site(name="north", data=tmp_path, state=tmp_path, encoding="utf-8", limits=limits), study)
    assert [(unit.patient, unit.key) for unit in cohort.units] == [("SECRET-2", "b"), ("SECRET-1", "c")]
    assert cohort.excluded == {
        "several rows of one identifier that differ": 2,
        "no identifier of the row": 1,
        "no time of prediction": 2,
    }
    assert cohort.owner.tolist() == [0, 1]
    assert cohort.patients == 2


def test_rows_with_too_much_missing_are_left_out_and_counted(tmp_path):
    site = hospital(tmp_path, "north")
    table = (site.data / "patients.csv").read_text().splitlines()
    table[1] = "north-0,no,,f,90,11"  # one of four
    table[2] = "north-1,yes,,f,90,900"  # two of four: what cannot be read is missing too
    table[3] = "north-2,no,50,f,90,11"
    (site.data / "patients.csv").write_text("\n".join(table))
    archive = Archive(site)
    strict, plain = small_study(tmp_path, "unit.max_missing=0.25"), small_study(tmp_path)
    kept = [unit.patient for unit in archive.cohort(strict).units]
    assert {"north-0", "north-2"} <= set(kept)
    assert "north-1" not in kept
    lacking = sum(1 for number in range(3, 40) if number % 7 == 3)  # crp and hb are empty there
    assert archive.excluded(strict) == {"more than 25% of the study's columns missing": 1 + lacking}
    assert len(archive.batch(strict)) == 40 - 1 - lacking
    assert len(archive.batch(plain)) == 40
    with pytest.raises(StudyError, match=r"unit\.max_missing"):
        small_study(tmp_path, "unit.max_missing=1.5")
