"""The hospital's eligible patients: reads ``patients.csv``, refuses what cannot be read, counts what is left out."""

import csv
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from client.readers.table import EMPTY
from client.site import Site
from shared.errors import Problem, SiteError
from shared.study import Study

TABLE = "patients.csv"


@dataclass(frozen=True)
class Patient:
    """One row of the table; ``line`` is its line in the file, for messages to the hospital's own people."""

    key: str
    line: int
    row: Mapping[str, str]


@dataclass(frozen=True)
class Cohort:
    """Eligible patients in the order of the table, their outcome (patients,) 0 or 1, and exclusions by rule."""

    patients: tuple[Patient, ...]
    outcome: npt.NDArray[np.float32]
    excluded: Mapping[str, int]
    excluded_lines: Mapping[str, tuple[int, ...]]
    columns: tuple[str, ...]


def read_cohort(site: Site, study: Study) -> Cohort:
    """Read and check the table; SiteError with all problems where it cannot be used at all."""
    header, rows = _read_rows(site)
    needed = (study.unit.patient, study.outcome.column)
    if absent := [name for name in needed if name not in header]:
        raise SiteError([Problem(TABLE, f"column {name}", "is missing", "add it, or rename it") for name in absent])
    excluded: dict[str, list[int]] = defaultdict(list)
    eligible: dict[str, tuple[Patient, int]] = {}
    seen = Counter(row.get(study.unit.patient, "").strip() for _, row in rows)
    copies = _copies(rows, study.unit.patient)
    for line, row in rows:
        key = row.get(study.unit.patient, "").strip()
        outcome = _outcome(row.get(study.outcome.column, "").strip(), study)
        if rule := _exclusion(key, outcome, seen, copies, eligible):
            excluded[rule].append(line)
        else:
            eligible[key] = (Patient(key, line, row), int(outcome == "event"))
    return Cohort(
        patients=tuple(patient for patient, _ in eligible.values()),
        outcome=np.array([event for _, event in eligible.values()], dtype=np.float32),
        excluded={rule: len(lines) for rule, lines in excluded.items()},
        excluded_lines={rule: tuple(lines) for rule, lines in excluded.items()},
        columns=tuple(header),
    )


def _exclusion(
    key: str, outcome: str, seen: Counter[str], copies: set[str], eligible: Mapping[str, object]
) -> str | None:
    """The first rule that leaves a row out; None for an eligible patient."""
    if not key:
        return "no patient identifier"
    if key in eligible:
        return "a copy of another row"
    if seen[key] > 1 and key not in copies:
        return "several rows of one patient that differ"
    if outcome in ("missing", "unknown"):
        return "outcome missing" if outcome == "missing" else "outcome not one of the study's values"
    return None


def _copies(rows: list[tuple[int, dict[str, str]]], patient: str) -> set[str]:
    """Patients all of whose rows are the same."""
    contents: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for _, row in rows:
        contents[row.get(patient, "").strip()].add(tuple(row.values()))
    return {key for key, different in contents.items() if len(different) == 1}


def _outcome(text: str, study: Study) -> str:
    if text in study.outcome.positive:
        return "event"
    if text in study.outcome.negative:
        return "no event"
    return "missing" if text.lower() in EMPTY else "unknown"


def _read_rows(site: Site) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Header and rows with their line numbers; cells beyond the header are dropped, missing ones are empty."""
    path = site.data / TABLE
    if not path.is_file():
        remedy = "put the table there, or correct data in site.toml"
        raise SiteError([Problem(TABLE, "", "no such file in the hospital's folder", remedy)])
    try:
        encoding = "utf-8-sig" if site.encoding.lower() in ("utf-8", "utf8") else site.encoding
        with path.open(encoding=encoding, newline="") as file:
            reader = csv.reader(file)
            header = [name.strip() for name in next(reader, [])]
            rows = [
                (reader.line_num, dict(zip(header, [*cells, *[""] * len(header)], strict=False)))
                for cells in reader
                if any(cell.strip() for cell in cells)
            ]
    except UnicodeDecodeError:
        remedy = 'write its encoding into site.toml, for instance encoding = "latin-1"'
        raise SiteError([Problem(TABLE, "", f"is not {site.encoding} text", remedy)]) from None
    except LookupError:
        raise SiteError(
            [Problem("site.toml", "encoding", "no such encoding", 'for instance "utf-8" or "latin-1"')]
        ) from None
    except csv.Error:
        raise SiteError([Problem(TABLE, "", "is not a table of comma-separated values", "export it as CSV")]) from None
    if twice := sorted({name for name in header if name and header.count(name) > 1}):
        raise SiteError([Problem(TABLE, f"column {name}", "stands twice", "keep one") for name in twice])
    if not rows:
        raise SiteError([Problem(TABLE, "", "has no patients", "export the table again")])
    return header, rows
