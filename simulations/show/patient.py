"""One patient of an invented hospital in all modalities, drawn to one picture as a hospital draws its own."""

import csv
import tempfile
from pathlib import Path

from client.readers.reading import Source
from client.show.picture import draw, require_picture
from shared.errors import Problem, StudyError
from shared.study import Study
from simulations.hospitals import invent_one


def show_patient(study: Study, site: str, number: int, path: Path) -> None:
    """Invent the patient of that number at that hospital and draw his first row to ``path`` (png, svg or pdf).

    Raises StudyError if the study has no such hospital, or nothing to invent it from; FileError if no picture can be
    written there.
    """
    if study.simulation is None or site not in study.sites:
        known = ", ".join(study.sites) if study.simulation else "none, without a [simulation] section"
        raise StudyError([Problem("--site", site, "is no invented hospital of the study", f"known: {known}")])
    require_picture(path)
    with tempfile.TemporaryDirectory() as folder:
        invent_one(study, Path(folder), site, number)
        place = Path(folder) / site
        source = Source(place, patient=study.unit.patient, timed=bool(study.unit.time))
        draw(study, source, first_row(place), path, f"{study.name}: an invented patient")


def first_row(folder: Path) -> dict[str, str]:
    """The first row of a hospital's table."""
    with (folder / "patients.csv").open(encoding="utf-8", newline="") as file:
        return next(csv.DictReader(file))
