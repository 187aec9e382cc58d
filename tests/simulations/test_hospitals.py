"""Invented hospitals: files as real ones have them, reproducible patient by patient, with a known best AUC."""

import csv
from pathlib import Path

import pytest

from client.readers.bag import read_bag
from client.readers.volume import read_volume
from shared.modalities.bag import Bag
from shared.modalities.volume import Volume
from shared.study import Study
from shared.study_file import load_study
from simulations.hospitals import invent, oracle

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
            found = read_volume(ct, row, row["patient_id"], hospitals / site)
            assert not found.faults
            assert (found.tensor is None) == (row["ct"] == "")
            several = read_bag(scope, row, row["patient_id"], hospitals / site)
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
