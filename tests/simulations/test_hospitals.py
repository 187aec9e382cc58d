"""Invented hospitals: files as real ones have them, reproducible patient by patient, with a known best AUC."""

import csv
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from shared.errors import StudyError
from shared.modalities.bag import Bag
from shared.modalities.tabular import Tabular
from shared.modalities.text import Text
from shared.modalities.volume import Volume
from shared.simulated import LOOKS, PICTURES, Simulation
from shared.study import Study
from shared.study_file import load_study
from simulations.hospitals import invent, latent, oracle
from simulations.hospitals.device import device
from simulations.hospitals.phrases import BANKS
from simulations.hospitals.scanner import scanner
from simulations.hospitals.writers import image, volume
from simulations.hospitals.writers.sight import Sight
from simulations.hospitals.writers.text import write_text
from tests.reads import read

SIZES = {"north": 8, "south": 5}


@pytest.fixture(scope="module")
def study() -> Study:
    return load_study("lscc-staging")


@pytest.fixture(scope="module")
def hospitals(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hospitals")
    invent(study, folder, SIZES)
    return folder


def _rows(folder: Path, site: str) -> list[dict[str, str]]:
    with (folder / site / "patients.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_each_hospital_has_its_table_and_the_files_that_it_names(study: Study, hospitals: Path) -> None:
    assert sorted(path.name for path in hospitals.iterdir()) == sorted(SIZES)
    ct, scope = study.modalities["ct"], study.modalities["laryngoscopy"]
    assert isinstance(ct, Volume)
    assert isinstance(scope, Bag)
    pictures = 0
    for site, count in SIZES.items():
        rows = _rows(hospitals, site)
        assert len({row["patient_id"] for row in rows}) == count
        for row in rows:
            assert row["stage"] in (*study.outcome.positive, *study.outcome.negative)
            found = read(ct, row, hospitals / site, row["patient_id"])
            assert not found.faults
            assert (found.tensor is None) == (row["ct"] == "")
            several = read(scope, row, hospitals / site, row["patient_id"])
            assert not several.faults
            pictures += several.tensor is not None
    assert pictures > 0


def test_a_patient_depends_on_seed_site_and_number_only(study: Study, hospitals: Path, tmp_path: Path) -> None:
    invent(study, tmp_path / "again", {"south": SIZES["south"], "north": 3})
    again, first = tmp_path / "again", hospitals
    assert (again / "south" / "patients.csv").read_bytes() == (first / "south" / "patients.csv").read_bytes()
    assert _rows(again, "north") == _rows(first, "north")[:3]
    names = sorted(path.relative_to(again) for path in (again / "north").rglob("*.png"))
    assert names
    assert all((again / name).read_bytes() == (first / name).read_bytes() for name in names)
    invent(study.model_copy(update={"seed": study.seed + 1}), tmp_path / "other", {"south": SIZES["south"]})
    assert _rows(tmp_path / "other", "south") != _rows(first, "south")


def test_progress_counts_every_patient(study: Study, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    invent(study, tmp_path, {"west": 2}, lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]


def test_a_hospital_that_lacks_a_modality_writes_none_of_it(study: Study, tmp_path: Path) -> None:
    sites = {**study.sites, "west": study.sites["west"].model_copy(update={"lacks": ("ct", "clinical")})}
    invent(study.model_copy(update={"sites": sites}), tmp_path, {"west": 3})
    rows = _rows(tmp_path, "west")
    assert all(row["ct"] == "" and row["age"] == "" for row in rows)
    assert not list(tmp_path.rglob("*.nii.gz"))


def test_the_oracle_gains_with_every_modality(study: Study) -> None:
    best = oracle(study)
    assert list(best) == list(study.models)
    singles, pairs = ([best[m] for m in study.models if m.count("+") == plus] for plus in (0, 1))
    assert best[study.primary] > max(pairs)
    assert min(pairs) > max(singles)
    assert best[study.primary] >= max(singles) + 0.05
    assert best["ct"] == pytest.approx(0.821, abs=0.005)  # Phi(1.3 / sqrt 2)
    assert best == oracle(study)


def test_without_a_simulation_section_there_is_nothing_to_invent(study: Study, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="simulation"):
        invent(study.model_copy(update={"simulation": None}), tmp_path)


def shifted(study: Study, **values: object) -> Study:
    assert study.simulation
    content = {**study.simulation.model_dump(), **values}
    return study.model_copy(update={"simulation": Simulation.model_validate(content, strict=False)})


def only(study: Study, *names: str) -> Study:
    """The study with some of its modalities."""
    assert study.simulation
    chosen = {name: study.modalities[name] for name in names}
    gaps = {name: study.simulation.separation[name] for name in names}
    return shifted(study.model_copy(update={"modalities": chosen}), separation=gaps)


def test_many_patients_by_several_processes_are_the_same_as_by_one(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = only(study, "clinical", "laryngoscopy")
    sizes = {"north": 20, "west": 15}
    invent(small, tmp_path / "serial", sizes)
    monkeypatch.setattr(latent, "WORTH_IT", 10)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    invent(small, tmp_path / "parallel", sizes)
    files = sorted(path.relative_to(tmp_path / "serial") for path in (tmp_path / "serial").rglob("*") if path.is_file())
    assert files == sorted(
        p.relative_to(tmp_path / "parallel") for p in (tmp_path / "parallel").rglob("*") if p.is_file()
    )
    assert len(files) > 35
    assert all(
        (tmp_path / "serial" / name).read_bytes() == (tmp_path / "parallel" / name).read_bytes() for name in files
    )


def cells(study: Study, folder: Path, count: int = 400, site: str = "north") -> list[dict[str, str]]:
    invent(study, folder, {site: count})
    return _rows(folder, site)


def test_prevalence_is_what_a_hospital_declares(study: Study, tmp_path: Path) -> None:
    table = shifted(only(study, "clinical"), prevalence_at={"north": 0.9}, prevalence=0.2, shift={})
    share = {
        site: sum(row["stage"] in study.outcome.positive for row in cells(table, tmp_path / site, 400, site)) / 400
        for site in ("north", "west")
    }
    assert share["north"] == pytest.approx(0.9, abs=0.05)
    assert share["west"] == pytest.approx(0.2, abs=0.06)


def test_wrong_labels_change_outcomes_and_nothing_else(study: Study, tmp_path: Path) -> None:
    table = only(study, "clinical")
    right = cells(table, tmp_path / "right")
    wrong = cells(shifted(table, shift={"scanner": 1.0, "prevalence": 0.05, "labels": 0.45}), tmp_path / "wrong")
    positive = [[row["stage"] in study.outcome.positive for row in rows] for rows in (right, wrong)]
    changed = sum(one != other for one, other in zip(*positive, strict=True))
    assert 0 < changed < 0.45 * 400
    for row in (*right, *wrong):
        del row["stage"]
    assert right == wrong


def test_another_coding_changes_signs_and_words_that_a_reader_counts(study: Study, tmp_path: Path) -> None:
    table = only(study, "clinical")
    spec = table.modalities["clinical"]
    assert isinstance(spec, Tabular)
    rows = cells(shifted(table, shift={"coding": 1.0}), tmp_path, 30)
    assert {row["sex"] for row in rows} <= {"F", "M"}
    assert all("," in row["hoarseness"] for row in rows if row["hoarseness"] not in ("", "-1"))
    faults = [fault for row in rows for fault in read(spec, row, tmp_path).faults]
    assert any("decimal comma" in fault for fault in faults)


def test_cells_and_examinations_are_missing_as_often_as_declared(study: Study, tmp_path: Path) -> None:
    rows = cells(shifted(only(study, "clinical"), empty=0.3, sentinels=0.0), tmp_path / "cells")
    assert sum(row["bmi"] == "" for row in rows) / 400 == pytest.approx(0.3, abs=0.08)
    assert not any(row["age"] == "" for row in rows)
    none = shifted(only(study, "laryngoscopy"), missing={"laryngoscopy": [1.0, 1.0]})
    invent(none, tmp_path / "none", {"north": 5})
    assert not list((tmp_path / "none").rglob("*.png"))


def test_hospitals_have_one_machine_without_a_shift_and_their_own_with_one() -> None:
    same = {scanner(site, (90.0,) * 3, (2.0, 2.0, 3.0), 0.0) for site in ("north", "west", "south")}
    other = {scanner(site, (90.0,) * 3, (2.0, 2.0, 3.0), 1.0) for site in ("north", "west", "south")}
    assert (len(same), len(other)) == (1, 3)
    assert next(iter(same)).spacing == (2.0, 2.0, 3.0)
    assert len({device("fundus", site, 0.0) for site in ("north", "west")}) == 1
    assert len({device("fundus", site, 1.0) for site in ("north", "west")}) == 2


def test_a_leaking_column_knows_the_answer_and_others_do_not(study: Study, tmp_path: Path) -> None:
    table = shifted(only(study, "clinical"), leak={"differentiation": 1.0}, empty=0.0)
    rows = cells(table, tmp_path)
    said = Counter((row["stage"] in study.outcome.positive, row["differentiation"]) for row in rows)
    assert set(said) == {(True, "poor"), (False, "well")}
    ages = {
        event: [float(r["age"]) for r in rows if (r["stage"] in study.outcome.positive) == event] for event in (0, 1)
    }
    assert abs(np.mean(ages[1]) - np.mean(ages[0])) < 5


def test_a_note_that_leaks_is_written_after_the_prediction(tmp_path: Path) -> None:
    spec = Text(kind="text", table="notes.csv")
    simulation = Simulation(generator="latent", separation={"notes": 1.0}, leak={"notes": 1.0})
    rng = np.random.default_rng(0)
    sight = Sight("notes", 0.3, 0.5, 0.5, "P1", "P1", 30.0, "north", tmp_path, rng, simulation, "died")
    rows = write_text(spec, sight).rows["notes.csv"]
    late = [row for row in rows if float(row["time"]) > 30]
    assert len(late) == 1
    assert "died" in late[0]["text"]
    assert not any("died" in row["text"] for row in rows if row not in late)
    stated = write_text(Text(kind="text", column="opinion"), sight).cells["opinion"]
    assert stated.endswith("Final diagnosis: died.")


def test_every_look_that_a_study_may_name_is_painted_or_worded() -> None:
    assert set(LOOKS["volume"]) == set(volume.LOOKS)
    assert set(PICTURES) == {*image.LOOKS, "laryngoscopy"}
    assert set(LOOKS["text"]) == set(BANKS)


@pytest.mark.parametrize(
    ("override", "place"),
    [
        ('simulation.look.ct="fundus"', "simulation.look.ct"),
        ("simulation.missing.mri=[0.0, 0.1]", "simulation.missing.mri"),
        ("simulation.leak.stage=1.0", "simulation.leak.stage"),
        ("simulation.columns.weight={ weight = 1.0 }", "simulation.columns.weight"),
        ("simulation.columns.sex={ shares = [0.2, 0.3, 0.5] }", "simulation.columns.sex.shares"),
        ("simulation.prevalence_at.east=0.2", "simulation.prevalence_at.east"),
        ("simulation.separation={ ct = 1.0 }", "simulation.separation"),
    ],
)
def test_names_that_the_study_does_not_have_are_refused(override: str, place: str) -> None:
    with pytest.raises(StudyError) as caught:
        load_study("lscc-staging", [override])
    assert place in str(caught.value)
