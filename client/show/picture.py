"""Draws one row of a hospital's table in all modalities to one picture, from the files by the study's readers."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from client.cohort import read_cohort
from client.readers import READERS
from client.readers.reading import Case, Reading, Source
from client.show.panels import PANELS
from client.site import Site
from shared.errors import FileError, Problem
from shared.study import Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = (".png", ".svg", ".pdf")
ABREAST, WIDTH, HEIGHT = 3, 4.6, 2.6  # panels side by side, inches of each
OWNER_ONLY = 0o600


def show_line(site: Site, study: Study, line: int, path: Path) -> None:
    """Draw the row in that line of ``patients.csv``; only its owner may read the picture.

    Raises FileError if no eligible row ends in that line, or no picture can be written there.
    """
    require_picture(path)
    rows = {unit.line: unit.row for unit in read_cohort(site, study).units}
    if line not in rows:
        rule = "no eligible row of patients.csv ends in this line"
        raise FileError([Problem("--line", "", rule, "`client check` says which lines are left out, and why")])
    path.touch(OWNER_ONLY)
    path.chmod(OWNER_ONLY)
    draw(study, source_of(site, study), rows[line], path, f"{study.name}: line {line} of patients.csv")


def require_picture(path: Path) -> None:
    """Raise FileError unless a picture can be written there."""
    if path.suffix not in FORMATS or not path.parent.is_dir():
        rule = f"must be a file of {', '.join(FORMATS)} in a folder that exists"
        raise FileError([Problem("--to", path.name, rule, "name another one")])


def source_of(site: Site, study: Study) -> Source:
    """Where a hospital's readers look."""
    return Source(site.data, site.encoding, study.unit.patient, bool(study.unit.time), site.harmonization)


def read(study: Study, name: str, source: Source, row: Mapping[str, str]) -> Reading:
    """One modality of a row."""
    time, spec = study.unit.time, study.modalities[name]
    case = Case(row[study.unit.patient], row, float(row[time]) if time else math.inf, row.get(study.unit.row, ""))
    return READERS[spec.kind](spec, source).read(case)


def draw(study: Study, source: Source, row: Mapping[str, str], path: Path, title: str) -> None:
    """All modalities of a row, a panel each, under a title with the outcome."""
    from matplotlib.figure import Figure

    abreast = min(ABREAST, len(study.modalities))
    lines = -(-len(study.modalities) // abreast)
    figure = Figure(figsize=(abreast * WIDTH, lines * HEIGHT), layout="constrained")
    panels = figure.subplots(lines, abreast, squeeze=False)
    for axes in panels.flat:
        axes.axis("off")
    for axes, name in zip(panels.flat, study.modalities, strict=False):
        _panel(axes, study, name, read(study, name, source, row), row)
    outcome = ", ".join(f"{column} {row[column]}" for column in study.outcome.columns)
    figure.suptitle(f"{title}, {outcome}", fontsize=9)
    figure.savefig(path, dpi=110)


def _panel(axes: "Axes", study: Study, name: str, reading: Reading, row: Mapping[str, str]) -> None:
    spec = study.modalities[name]
    axes.set_title(f"{name} ({spec.kind})", fontsize=8)
    if reading.tensor is None:
        axes.text(0, 1, "; ".join(reading.faults) or "not examined", va="top", fontsize=8)
        return
    axes.axis("on")
    PANELS[spec.kind](axes, spec, reading.tensor.numpy(), row)
