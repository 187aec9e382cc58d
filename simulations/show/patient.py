"""One patient of an invented hospital in all modalities, drawn to one picture from the files by the study's readers."""

import csv
import math
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from client.readers import READERS
from client.readers.reading import Case, Reading, Source
from shared.errors import Problem, StudyError
from shared.study import Study
from simulations.hospitals import invent_one
from simulations.show.panels import PANELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = (".png", ".svg", ".pdf")
ABREAST, WIDTH, HEIGHT = 3, 4.6, 2.6  # panels side by side, inches of each


def show_patient(study: Study, site: str, number: int, path: Path) -> None:
    """Invent the patient of that number at that hospital and draw his first row to ``path`` (png, svg or pdf).

    Raises StudyError if the study has no such hospital, nothing to invent it from, or no picture can be written there.
    """
    if study.simulation is None or site not in study.sites:
        known = ", ".join(study.sites) if study.simulation else "none, without a [simulation] section"
        raise StudyError([Problem("--site", site, "is no invented hospital of the study", f"known: {known}")])
    if path.suffix not in FORMATS or not path.parent.is_dir():
        rule = f"must be a file of {', '.join(FORMATS)} in a folder that exists"
        raise StudyError([Problem("--to", path.name, rule, "name another one")])
    with tempfile.TemporaryDirectory() as folder:
        invent_one(study, Path(folder), site, number)
        place = Path(folder) / site
        _draw(study, place, first_row(place), path)


def first_row(folder: Path) -> dict[str, str]:
    """The first row of a hospital's table."""
    with (folder / "patients.csv").open(encoding="utf-8", newline="") as file:
        return next(csv.DictReader(file))


def read(study: Study, name: str, folder: Path, row: Mapping[str, str]) -> Reading:
    """One modality of a row as a hospital with this folder reads it."""
    time, patient = study.unit.time, study.unit.patient
    spec, source = study.modalities[name], Source(folder, patient=patient, timed=bool(time))
    case = Case(row[patient], row, float(row[time]) if time else math.inf, row.get(study.unit.row, ""))
    return READERS[spec.kind](spec, source).read(case)


def _draw(study: Study, folder: Path, row: Mapping[str, str], path: Path) -> None:
    from matplotlib.figure import Figure

    abreast = min(ABREAST, len(study.modalities))
    lines = -(-len(study.modalities) // abreast)
    figure = Figure(figsize=(abreast * WIDTH, lines * HEIGHT), layout="constrained")
    panels = figure.subplots(lines, abreast, squeeze=False)
    for axes in panels.flat:
        axes.axis("off")
    for axes, name in zip(panels.flat, study.modalities, strict=False):
        _panel(axes, study, name, read(study, name, folder, row), row)
    outcome = ", ".join(f"{column} {row[column]}" for column in study.outcome.columns)
    figure.suptitle(f"{study.name}: an invented patient, {outcome}", fontsize=9)
    figure.savefig(path, dpi=110)


def _panel(axes: "Axes", study: Study, name: str, reading: Reading, row: Mapping[str, str]) -> None:
    spec = study.modalities[name]
    axes.set_title(f"{name} ({spec.kind})", fontsize=8)
    if reading.tensor is None:
        axes.text(0, 1, "; ".join(reading.faults) or "not examined", va="top", fontsize=8)
        return
    axes.axis("on")
    PANELS[spec.kind](axes, spec, reading.tensor.numpy(), row)
