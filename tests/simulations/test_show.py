"""Pictures of invented patients: one in all modalities, and a panel of every kind as its reader reads it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from client.readers.reading import Source
from client.show.panels import PANELS
from client.show.picture import read
from shared.errors import FileError, StudyError
from shared.modalities import MODALITIES
from shared.study_file import catalog, load_study
from simulations.hospitals import invent, invent_one
from simulations.show import sheets
from simulations.show.patient import first_row, show_patient

INVENTED = [name for name in catalog() if load_study(name).simulation]


def test_a_patient_is_drawn_in_all_modalities(tmp_path: Path) -> None:
    show_patient(load_study("thyroid-follicular"), "north", 3, tmp_path / "picture.png")
    picture = np.asarray(Image.open(tmp_path / "picture.png").convert("L"))
    thirds = np.array_split(picture, 3, axis=1)
    assert all((third < 128).mean() > 0.002 for third in thirds), "a panel is empty"


def test_one_patient_is_the_same_as_among_all(tmp_path: Path) -> None:
    study = load_study("thyroid-follicular")
    invent(study, tmp_path / "all", {"north": 3})
    invent_one(study, tmp_path / "one", "north", 3)
    name = Path("north") / "ultrasound" / "P0003.png"
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "all" / name).read_bytes()
    lines = (tmp_path / "all" / "north" / "patients.csv").read_text().splitlines()
    assert (tmp_path / "one" / "north" / "patients.csv").read_text().splitlines() == [lines[0], lines[3]]


def test_a_hospital_that_the_study_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="known: north, west"):
        show_patient(load_study("psma-lymph-node"), "east", 1, tmp_path / "picture.png")
    with pytest.raises(StudyError, match="without a"):
        show_patient(load_study("uci-heart"), "cleveland", 1, tmp_path / "picture.png")


@pytest.mark.parametrize("name", ["picture.txt", "no/such/folder/picture.png"])
def test_a_picture_that_cannot_be_written_is_refused_beforehand(name: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="--to"):
        show_patient(load_study("embolism-ecg"), "north", 1, tmp_path / name)


def test_every_kind_has_a_panel() -> None:
    assert set(PANELS) == set(MODALITIES)


@pytest.mark.parametrize("kind", ["tabular", "series", "signal", "text", "concepts", "bytes", "grid", "image", "bag"])
def test_a_contact_sheet_shows_hospitals_and_latents_apart(kind: str, tmp_path: Path) -> None:
    look = {"image": "fundus", "bag": "ultrasound"}.get(kind, "")
    drawn = {
        (site, latent): sheets.invented(sheets.example(kind, look), look, site, latent, tmp_path / f"{site}{latent}")[1]
        for site in sheets.SITES
        for latent in (-2.0, 2.0)
    }
    values = list(drawn.values())
    assert not any(np.array_equal(one, other) for k, one in enumerate(values) for other in values[k + 1 :])


@pytest.mark.parametrize("name", INVENTED)
def test_every_invented_study_is_read_without_a_fault(name: str, tmp_path: Path) -> None:
    study = load_study(name)
    site = next(iter(study.sites))
    invent_one(study, tmp_path, site, 2)
    for modality in study.modalities:
        source = Source(tmp_path / site, patient=study.unit.patient, timed=bool(study.unit.time))
        reading = read(study, modality, source, first_row(tmp_path / site))
        assert not [fault for fault in reading.faults if "code for missing" not in fault and "pictures" not in fault]
