"""The table of the catalog, from the study files alone."""

from pathlib import Path

from rich import box
from rich.table import Table

from shared.study import Study
from shared.study_file import catalog, load_study
from simulations.catalog.lines import read_lines
from simulations.catalog.seconds import SECONDS

COLUMNS = ("study", "task", "outcome", "modalities", "sites, patients", "arms", "public data", "s")


def listing(results: Path) -> Table:
    """A row a study; seconds are those of ``all`` in ``results``, where it ran the same file, else about."""
    measured = read_lines(results)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for name in COLUMNS:
        table.add_column(name, no_wrap=name == "study", justify="right" if name == "s" else "left")
    for name in catalog():
        study = load_study(name)
        line = measured.get(name)
        about = f"~{SECONDS[name]}" if name in SECONDS else "–"
        table.add_row(*_cells(study), f"{line.seconds:.0f}" if line and line.digest == study.digest else about)
    return table


def _cells(study: Study) -> tuple[str, ...]:
    patients = sum(site.patients for site in study.sites.values())
    return (
        study.name,
        study.title,
        study.outcome.kind,
        ", ".join(study.modalities),
        f"{len(study.sites)}, {patients}",
        ", ".join(study.arms.run),
        study.source.public_data or ("invented" if study.simulation else "–"),
    )
