"""Writes invented hospitals as real files: ``patients.csv``, long tables, and every modality's own files."""

import csv
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

from shared.modalities.tabular import Tabular
from shared.schemes import Temporal
from shared.simulated import Simulation
from shared.study import Study
from simulations.hospitals.chance import stream
from simulations.hospitals.endpoint import follow_up
from simulations.hospitals.severity import LAWS
from simulations.hospitals.truth import Row, draw_rows, keys_of, label
from simulations.hospitals.writers import WRITERS
from simulations.hospitals.writers.sight import Files, Sight

TABLE = "patients.csv"
WORTH_IT = 100  # patients from which a second process is worth its start
PART = 16  # patients a process invents at a time
YEARS_BEFORE = 4  # a cut between times; the year after it is for validation
APART = 1.15  # of the longest window: hours between two rows of a patient, so that their windows do not meet

Table = list[dict[str, str]]
Task = tuple[str, Path, range]


def write_sites(study: Study, folder: Path, patients: Mapping[str, int], step: Callable[[], None]) -> None:
    """Write ``folder/<site>/`` for every site; ``step`` is called after each patient.

    A patient depends on the study's seed, his hospital's name and his number only; not on the number of processes.
    """
    tasks = [
        (site, folder / site, range(begin, min(begin + PART, count + 1)))
        for site, count in patients.items()
        for begin in range(1, count + 1, PART)
    ]
    tables: dict[str, dict[str, Table]] = {site: defaultdict(list) for site in patients}
    with _mapped(sum(patients.values())) as mapped:
        for (site, _, numbers), written in zip(tasks, mapped(study, tasks), strict=True):
            for name, rows in written.items():
                tables[site][name] += rows
            for _ in numbers:
                step()
    for site, found in tables.items():
        for name, rows in found.items():
            write_table(folder / site / name, rows)


Mapped = Callable[[Study, list[Task]], Iterator[dict[str, Table]]]


@contextmanager
def _mapped(patients: int) -> Iterator[Mapped]:
    """A map over parts of patients: in this process, or in as many as there are cores where that is worth it."""
    cores = os.cpu_count() or 1
    if patients < WORTH_IT or cores < 2:
        yield lambda study, tasks: (write_part(study, *task) for task in tasks)
        return
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
        yield lambda study, tasks: pool.map(write_part, [study] * len(tasks), *zip(*tasks, strict=True))


def write_part(study: Study, site: str, folder: Path, numbers: range) -> dict[str, Table]:
    """Write the files of some patients; returns their rows of ``patients.csv`` and of the long tables."""
    assert study.simulation is not None
    tables: dict[str, Table] = defaultdict(list)
    for number in numbers:
        for row in draw_rows(study, study.simulation, site, number):
            files = _write_row(study, study.simulation, (site, folder, number), row)
            tables[TABLE].append(dict(files.cells))
            for name, rows in files.rows.items():
                tables[name] += rows
    return tables


def _write_row(study: Study, simulation: Simulation, where: tuple[str, Path, int], row: Row) -> Files:
    """The files of one row; returns its cells and its rows of long tables."""
    site, folder, number = where
    patient, keys = f"P{number:04d}", keys_of(study, site, number, row.place)
    unit = f"{patient}-{row.place}" if study.unit.row else patient
    hour = _hour(study, keys, row.place)
    outcome = label(study, simulation, keys, row, site)
    cells = {study.unit.patient: patient}
    cells |= {study.unit.row: unit} if study.unit.row else {}
    cells |= {study.unit.time: f"{hour:.1f}"} if study.unit.time else {}
    cells |= _dated(study, site, number)
    rows: dict[str, Table] = defaultdict(list)
    for name, spec in study.modalities.items():
        own = keys[:3] if isinstance(spec, Tabular) else keys  # what a table says of a patient holds for all his rows
        sight = Sight(
            name, row.latents[name], row.severity, LAWS[study.outcome.kind].scale, patient, unit, hour, site, folder,
            stream(*own, name), simulation, " ".join(outcome.values()), study.unit.row,
        )  # fmt: skip
        files = WRITERS[spec.kind](spec, sight) if _has(study, simulation, keys, name) else Files()
        cells |= {column: files.cells.get(column, "") for column in columns_read(spec)}
        for table, found in files.rows.items():
            rows[table] += found
    later = follow_up(study.survival, row.severity, stream(*keys, "endpoint")) if study.survival else {}
    return Files({**cells, **outcome, **later}, rows)


def columns_read(spec: object) -> list[str]:
    """Columns of ``patients.csv`` that a modality reads."""
    if isinstance(spec, Tabular):
        return list(spec.columns)
    column, path = getattr(spec, "column", ""), getattr(spec, "path", "")
    paths = [path] if isinstance(path, str) else list(path)
    return [column] if column else [name for name in paths if name and "{patient}" not in name]


def _hour(study: Study, keys: tuple[str | int, ...], place: int) -> float:
    """The moment of a row on the clock of the long tables: some hours after admission, later rows a window later."""
    window = max((float(getattr(spec, "hours", 0)) for spec in study.modalities.values()), default=0.0)
    if not study.unit.time:
        return window or 24.0
    first = float(stream(*keys[:3], "hour").uniform(1.2, 2.0)) * max(window, 12.0)
    return round(first + place * APART * max(window, 12.0), 1)


def _dated(study: Study, site: str, number: int) -> dict[str, str]:
    """The day of a patient, all of his rows, where time divides: before the cut as often as the hospital declares."""
    cohorts = study.cohorts
    if not isinstance(cohorts, Temporal):
        return {}
    entry, rng = study.sites[site], stream(study.seed, site, number, "day")
    before = rng.random() < (entry.training or 0) / entry.patients
    days = timedelta(days=int(rng.integers(1, YEARS_BEFORE * 365))) if before else -timedelta(int(rng.integers(0, 365)))
    return {cohorts.column: (cohorts.cut - days).isoformat()}


def _has(study: Study, simulation: Simulation, keys: tuple[str | int, ...], name: str) -> bool:
    """Whether this patient was examined: hospitals differ in how often they do."""
    site = str(keys[1])
    if name in study.sites[site].lacks:
        return False
    lowest, highest = simulation.missing.get(name, (0.0, 0.0))
    rate = stream("lacking", site, name).uniform(lowest, highest)
    return bool(stream(*keys, name, "examined").random() >= rate)


def write_table(path: Path, rows: Table) -> None:
    """Write a table whose columns are those of its first row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
