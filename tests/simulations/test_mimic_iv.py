"""MIMIC-IV's importer on a made release: who is septic, what is known at hour 24, how sepsis-mortality reads it."""

import csv
import shutil
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from client.archive import Archive
from client.site import load_site
from shared.errors import FileError
from shared.study_file import load_study
from simulations.importers import tables
from simulations.importers.mimic_iv import TABLES, import_mimic_iv
from simulations.importers.mimic_sepsis import CHARTED, LABS, _arterial
from simulations.importers.plausible import LIMITS, plausible
from tests.simulations.made_mimic import DISCHARGE, EARLY, made_mimic


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return made_mimic(tmp_path_factory.mktemp("mimic"))


@pytest.fixture(scope="module")
def told(release, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hospitals")
    return folder, import_mimic_iv(release, folder)


def rows(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines(keepends=True)))


def test_it_says_who_was_dropped_and_why(told):
    _, sentences = told
    assert sentences[:3] == [
        "12 of 12 files have a published digest in the folder, and agree with it",
        "medical: 1 patients, 1 died",
        "trauma: 2 patients, 0 died",
    ]
    assert [sentence for sentence in sentences if " dropped: " in sentence] == [
        "1 dropped: stays of patients under 18",
        "1 dropped: stays without a known care-unit",
        "1 dropped: stays that ended, by death or otherwise, before hour 24",
        "1 dropped: stays without a suspected infection by hour 24",
        "2 dropped: values of pao2 of a specimen that is told, and not as arterial",
        "1 dropped: values of map outside 10 to 300",
        "1 dropped: stays with a suspected infection and a SOFA score below 2",
        "1 dropped: later stays of the same patients",
        "1 dropped: values of weight outside 20 to 500",
        "1 dropped: notes without a time",
    ]
    assert "1 of 3 carry a code of sepsis, given after the discharge and no input here" in sentences
    assert sentences[-1].endswith("--set sites.medical.patients=1 --set sites.trauma.patients=2")


def test_the_table_has_the_studys_columns_and_words(told):
    folder, _ = told
    (patient,) = rows(folder / "medical" / "patients.csv")
    # SOFA: creatinine 4.0 is 3, platelets 90 is 2, norepinephrine at .3 is 4, a coma score of 13 is 1
    assert patient == {
        **{"patient_id": "101", "hour": "24.0", "died": "yes", "age": "60", "weight": "71.3", "sofa": "10"},
        **{"sex": "female", "admission": "emergency"},
    }
    trauma = {row["patient_id"]: row for row in rows(folder / "trauma" / "patients.csv")}
    assert (trauma["102"]["age"], trauma["102"]["weight"]) == ("91", "")
    assert trauma["102"]["sofa"] == "10", "the arterial gas of 30 is 3 on a ventilator; the venous one of 15 were 4"
    assert trauma["108"]["sofa"] == "7", "pressure below 70 is 1 without a vasopressor"


def test_only_what_was_known_at_hour_24_is_in_the_long_table(told):
    folder, _ = told
    measured = {(row["variable"], float(row["time"]), float(row["value"])) for row in rows(folder / "medical/labs.csv")}
    assert measured == {
        *(("creatinine", 1.0, 4.0), ("lactate", 2.0, 3.5), ("platelets", 3.0, 90.0)),
        *(("heart_rate", 1.0, 120.0), ("map", 2.0, 60.0), ("temperature", 3.0, 38.0)),
    }


def test_a_gas_of_a_vessel_that_is_not_told_counts_as_arterial():
    gases = pd.DataFrame({"specimen_id": ["1", "2", "3", "4"], "value": [60.0, 61.0, 62.0, 63.0]})
    kinds = pd.DataFrame({"specimen_id": ["1", "2", "3"], "value": ["ART.", "VEN.", ""]})
    assert list(_arterial(gases, kinds, Counter())["specimen_id"]) == ["1", "3", "4"]


def test_a_value_is_held_against_the_limits_of_its_own_measure():
    dropped = Counter()
    values = [("map", 9.9), ("map", 10.0), ("spo2", 101.0), ("fio2", 15.0), ("ventilator", 1.0), ("map", np.nan)]
    rows = pd.DataFrame(values, columns=["variable", "value"])
    assert list(plausible(rows, dropped).index) == [1, 4, 5]
    assert dropped["values of spo2 outside 10 to 100"] == 1
    measured = {*CHARTED.values(), *(name for name, _ in LABS.values())}
    assert measured - {*LIMITS} == {"ventilator", "fahrenheit"}, "a measure without limits"


def test_notes_keep_the_time_at_which_they_could_be_read_and_a_discharge_note_comes_last(told):
    folder, _ = told
    notes = {row["text"]: float(row["time"]) for row in rows(folder / "medical" / "notes.csv")}
    assert notes[EARLY] == 1
    assert notes["Reported after hour 24, with\na second line."] == 26
    assert notes[DISCHARGE] == 96, "its charted time is midnight, before the admission"


def test_sepsis_mortality_reads_it_and_no_discharge_note(told):
    folder, _ = told
    study = load_study("sepsis-mortality")
    archive = Archive(load_site(folder / "medical" / "site.toml"))
    assert archive.cohort(study).excluded == {}
    assert all(archive.reading(study, name).present.all() for name in study.modalities)
    front_end = archive._front_end(study, "notes")
    text = bytes(front_end.reader.read(archive._cases(study)[0][1]).tensor.numpy()).rstrip(b"\0").decode()
    assert text == EARLY
    assert archive.reading(study, "static").faults == {}


def test_parts_of_any_size_give_the_same_and_an_old_import_is_replaced(release, told, tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "CHUNK", 3)
    for _ in range(2):
        import_mimic_iv(release, tmp_path)
    for name in ("medical/labs.csv", "medical/notes.csv", "trauma/patients.csv", "trauma/labs.csv"):
        assert np.array_equal(sorted(rows(tmp_path / name), key=str), sorted(rows(told[0] / name), key=str))
    assert not list(tmp_path.glob("tmp*"))


def test_sites_by_admission(release, tmp_path):
    assert "emergency-room: 3 patients, 1 died" in import_mimic_iv(release, tmp_path, "admission")
    with pytest.raises(FileError, match="--sites: must be care-unit or admission"):
        import_mimic_iv(release, tmp_path, "ward")


def test_another_layout_is_refused_with_every_file(release, tmp_path):
    with pytest.raises(FileError) as refused:
        import_mimic_iv(tmp_path, tmp_path / "out")
    assert [problem.file for problem in refused.value.problems] == [f"{name}.csv" for name in TABLES]
    shutil.copytree(release, tmp_path / "copy")
    (tmp_path / "copy" / "icu" / "icustays.csv.gz").unlink()
    (tmp_path / "copy" / "icu" / "icustays.csv").write_text("subject_id,stay_id\n1,2\n")
    with (tmp_path / "copy" / "hosp" / "labevents.csv.gz").open("ab") as file:
        file.write(b"x")
    with pytest.raises(FileError) as refused:
        import_mimic_iv(tmp_path / "copy", tmp_path / "out")
    assert [(problem.file, problem.rule) for problem in refused.value.problems] == [
        ("hosp/labevents.csv.gz", "is not the published file: its SHA-256 differs"),
        ("icu/icustays.csv", "lacks the columns hadm_id, first_careunit, intime, outtime"),
    ]


def test_two_releases_may_keep_their_own_folders_and_lists(release, tmp_path):
    download = tmp_path / "files"
    lines = (release / "SHA256SUMS.txt").read_text().splitlines(keepends=True)
    for name, folders in (("mimiciv/3.1", ("hosp", "icu")), ("mimic-iv-note/2.2", ("note",))):
        for folder in folders:
            shutil.copytree(release / folder, download / name / folder)
        own = [line for line in lines if line.split()[1].startswith(folders)]
        (download / name / "SHA256SUMS.txt").write_text("".join(own))
    told = import_mimic_iv(download, tmp_path / "out")
    assert told[0] == "12 of 12 files have a published digest in the folder, and agree with it"
    (download / "mimic-iv-note" / "2.2" / "SHA256SUMS.txt").unlink()
    told = import_mimic_iv(download, tmp_path / "out")
    assert told[0].startswith("10 of 12 files have a published digest in the folder, and agree with it; to have all")
    with (download / "mimiciv" / "3.1" / "hosp" / "patients.csv.gz").open("ab") as file:
        file.write(b"x")
    shutil.copytree(download / "mimiciv" / "3.1" / "icu", download / "mimiciv" / "2.2" / "icu")
    with pytest.raises(FileError) as refused:
        import_mimic_iv(download, tmp_path / "out")
    assert [(problem.file, problem.rule) for problem in refused.value.problems] == [
        ("hosp/patients.csv.gz", "is not the published file: its SHA-256 differs"),
        *(
            (f"icu/{name}.csv.gz", "lies in 2 folders")
            for name in ("icustays", "d_items", "inputevents", "chartevents")
        ),
    ]


def test_items_that_mean_something_else_and_a_table_cut_off_are_refused(release, tmp_path):
    copy = shutil.copytree(release, tmp_path / "copy", ignore=shutil.ignore_patterns("SHA256SUMS.txt"))
    labels = copy / "hosp" / "d_labitems.csv.gz"
    labels.unlink()
    (copy / "hosp" / "d_labitems.csv").write_text("itemid,label\n50912,Ferritin\n")
    with pytest.raises(FileError, match="50912 is not Creatinine"):
        import_mimic_iv(copy, tmp_path / "out")
    shutil.copy(release / "hosp" / "d_labitems.csv.gz", labels)
    (copy / "hosp" / "d_labitems.csv").unlink()
    whole = (copy / "icu" / "chartevents.csv.gz").read_bytes()
    for left in (len(whole) - 12, len(whole) // 3):  # the header can still be read, or not
        (copy / "icu" / "chartevents.csv.gz").write_bytes(whole[:left])
        with pytest.raises(FileError, match=r"icu/chartevents.csv.gz: is cut off"):
            import_mimic_iv(copy, tmp_path / "out")
