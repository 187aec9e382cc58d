"""Writes invented hospitals of laryngeal cancer patients as real files: a table, CT volumes, endoscopy pictures."""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from shared.modalities.bag import Bag
from shared.modalities.volume import Volume
from shared.outcomes.binary import Binary
from shared.study import Study
from simulations.hospitals import clinical, computed_tomography, endoscopy
from simulations.hospitals.truth import Person, draw_person, stream

LACKING = {"volume": (0.02, 0.06), "bag": (0.04, 0.10)}  # share of patients without it, lowest and highest of hospitals


def write_sites(study: Study, folder: Path, patients: Mapping[str, int], step: Callable[[], None]) -> None:
    """Write ``folder/<site>/`` for every site; ``step`` is called after each patient.

    A patient depends on the study's seed, his hospital's name and his number only.
    """
    for site, count in patients.items():
        rows = []
        for number in range(1, count + 1):
            rows.append(_write_patient(study, folder / site, site, number))
            step()
        _write_table(folder / site / "patients.csv", study, rows)


def _write_patient(study: Study, folder: Path, site: str, number: int) -> dict[str, str]:
    """One patient's files; returns the row of the table."""
    person, patient = draw_person(study, site, number), f"P{number:04d}"
    assert isinstance(study.outcome, Binary)  # a rule of the study file
    row = {
        study.unit.patient: patient,
        study.outcome.column: _stage(study.outcome, person, stream(study.seed, site, number, "stage")),
    }
    for name, spec in study.modalities.items():
        rng = stream(study.seed, site, number, name)
        latent = person.latents[name]
        if spec.kind == "tabular":
            cells = clinical.written(person.event, _gap(study, name), rng)
            row |= dict.fromkeys(cells, "") if name in study.sites[site].lacks else cells
        elif isinstance(spec, Volume):
            column = spec.paths[0]
            row[column] = f"{name}/{patient}.nii.gz" if _has(study, site, name, number) else ""
            if row[column]:
                _write_volume(folder / row[column], latent, site, rng)
        elif isinstance(spec, Bag) and _has(study, site, name, number):
            _write_pictures(folder, spec.path.replace("{patient}", patient), latent, site, rng)
    return row


def _stage(outcome: Binary, person: Person, rng: np.random.Generator) -> str:
    """One of the words of the event, or of its absence."""
    words = outcome.positive if person.event else outcome.negative
    return str(rng.choice(words))


def _gap(study: Study, name: str) -> float:
    return study.simulation.separation[name] if study.simulation else 0.0


def _has(study: Study, site: str, name: str, number: int) -> bool:
    """Whether this patient was examined: hospitals differ in how often they do."""
    if name in study.sites[site].lacks:
        return False
    lowest, highest = LACKING[study.modalities[name].kind]
    rate = stream("lacking", site, name).uniform(lowest, highest)
    return bool(stream(study.seed, site, number, name, "examined").random() >= rate)


def _write_volume(path: Path, latent: float, site: str, rng: np.random.Generator) -> None:
    import nibabel

    volume, affine = computed_tomography.render(latent, computed_tomography.scanner(site), rng)
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(volume, affine)  # type: ignore[no-untyped-call]
    image.header.set_xyzt_units("mm")  # type: ignore[no-untyped-call]
    nibabel.save(image, path)


def _write_pictures(folder: Path, pattern: str, latent: float, site: str, rng: np.random.Generator) -> None:
    from PIL import Image

    for number, picture in enumerate(endoscopy.render(latent, endoscopy.camera(site), rng)):
        path = folder / pattern.replace("*", str(number))
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path, compress_level=1)


def _write_table(path: Path, study: Study, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
