"""The hospital's eligible patients: reads ``patients.csv``, refuses what cannot be read, counts what is left out."""

import csv
import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

import numpy as np
import numpy.typing as npt

from client.cells import missing_in, moment_of
from client.harmonization import Harmonizer, Rules
from client.site import Site
from shared.errors import Problem, SiteError
from shared.modalities.tabular import Tabular
from shared.outcomes.base import Truth
from shared.schemes import Temporal
from shared.study import Study

TABLE = "patients.csv"
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
UNDATED = "no date by which the study divides patients"
SHORT = "fewer cells than columns, the others read as empty"


@dataclass(frozen=True)
class Unit:
    """One row of the table: a patient, or one of a patient's lesions, records or stays (``key`` of its own).

    ``line`` is its line in the file, for messages to the hospital's own people.
    """

    patient: str
    key: str
    line: int
    row: Mapping[str, str]


@dataclass(frozen=True)
class Cohort:
    """Eligible units in the order of the table, their truth (units, truths), and what was met on the way.

    ``excluded`` counts rows left out by rule, ``excluded_lines`` has their lines; ``noted_lines`` has the lines of rows
    that were kept although a rule is broken.
    """

    units: tuple[Unit, ...]
    outcome: npt.NDArray[np.float32]
    excluded: Mapping[str, int]
    excluded_lines: Mapping[str, tuple[int, ...]]
    noted_lines: Mapping[str, tuple[int, ...]]
    columns: tuple[str, ...]
    harmonized: Mapping[tuple[str, str], int] = field(default_factory=dict)  # cells changed by (column, rule)

    @property
    def patients(self) -> int:
        """How many patients the units belong to."""
        return len({unit.patient for unit in self.units})

    @property
    def owner(self) -> npt.NDArray[np.int64]:
        """Whose each unit is, (units,): patients numbered from 0 in the order of the table."""
        places: dict[str, int] = {}
        return np.array([places.setdefault(unit.patient, len(places)) for unit in self.units], dtype=np.int64)


@dataclass(frozen=True)
class Row:
    """One row as it stands: its last line in the file, stripped cells by column, and its cells by number."""

    line: int
    cells: Mapping[str, str]
    given: int  # cells
    filled: int  # cells up to the last that is not empty


def read_cohort(site: Site, study: Study) -> Cohort:
    """Read and check the table; SiteError with all problems where it cannot be used at all."""
    harmonizer = Harmonizer(TABLE, site.harmonization.get(TABLE, Rules()))
    header, rows = _read_rows(site, harmonizer)
    unit = study.unit
    if absent := [name for name in (*named(study), *dividing(study), *outcomes(study)) if name not in header]:
        raise SiteError([_absent(name, header) for name in absent])
    excluded: dict[str, list[int]] = defaultdict(list)
    eligible: dict[str, tuple[Unit, Truth]] = {}
    column = unit.row or unit.patient
    seen, copies = Counter(row.cells[column] for row in rows), _copies(rows, column)
    for row in rows:
        patient, key = row.cells[unit.patient], row.cells[column]
        rule = _shifted(row, header) or _unnamed(patient, key) or _repeated(key, seen, copies, eligible)
        rule = rule or _untimed(row, unit.time) or _undated(row, study)
        truth = rule or _sparse(row, study) or study.outcome.read(row.cells)
        if isinstance(truth, str):
            excluded[truth].append(row.line)
        else:
            eligible[key] = (Unit(patient, key, row.line, row.cells), truth)
    if not eligible:
        found = ", ".join(f"{len(lines)} x {rule}" for rule, lines in excluded.items())
        raise SiteError([Problem(TABLE, "", f"no row is an eligible patient: {found}", "compare it with the study")])
    kept = {row.line for row, _ in eligible.values()}
    short = tuple(row.line for row in rows if row.given < len(header) and row.line in kept)
    return Cohort(
        units=tuple(row for row, _ in eligible.values()),
        outcome=np.array([truth for _, truth in eligible.values()], dtype=np.float32),
        excluded={rule: len(lines) for rule, lines in excluded.items()},
        excluded_lines={rule: tuple(lines) for rule, lines in excluded.items()},
        noted_lines={SHORT: short} if short else {},
        columns=tuple(header),
        harmonized=dict(harmonizer.changed),
    )


def named(study: Study) -> tuple[str, ...]:
    """Columns that say what a row is: its patient, and where the study has them its own name and its time."""
    return tuple(column for column in (study.unit.patient, study.unit.row, study.unit.time) if column)


def dividing(study: Study) -> tuple[str, ...]:
    """The column that says when a row is, where time divides who trains from who does not."""
    return (study.cohorts.column,) if isinstance(study.cohorts, Temporal) else ()


def outcomes(study: Study) -> tuple[str, ...]:
    """Columns of the outcome and of the second endpoint."""
    return (*study.outcome.columns, *(study.survival.columns if study.survival else ()))


def near(name: str, columns: Sequence[str]) -> str | None:
    """The column that is most likely meant by a name that the table lacks: "age" by "Age (years)"."""
    plain = {_plain(column): column for column in columns if _plain(column)}
    found = get_close_matches(_plain(name), plain, n=1, cutoff=0.7)
    return plain[found[0]] if found else None


def _plain(name: str) -> str:
    """A name without its unit in brackets, signs and capitals."""
    return re.sub(r"\(.*?\)|\[.*?\]|[\W_]", "", name.lower())


def _absent(name: str, header: Sequence[str]) -> Problem:
    meant = near(name, header)
    rule = f'write columns = {{ "{meant}" = "{name}" }} under [harmonization."{TABLE}"] in site.toml'
    remedy = f'the table has "{meant}": rename it, or {rule}' if meant else "add it, or rename the column that is meant"
    return Problem(TABLE, f"column {name}", "is missing", remedy)


def _shifted(row: Row, header: Sequence[str]) -> str | None:
    return "more cells than columns: a comma without quotes shifts the others" if row.filled > len(header) else None


def _unnamed(patient: str, key: str) -> str | None:
    if not patient:
        return "no patient identifier"
    return None if key else "no identifier of the row"


def _repeated(key: str, seen: Mapping[str, int], copies: Collection[str], eligible: Collection[str]) -> str | None:
    if key in eligible:
        return "a copy of another row"
    return "several rows of one identifier that differ" if seen[key] > 1 and key not in copies else None


def _untimed(row: Row, column: str) -> str | None:
    """The rule that a row's time of prediction breaks; none where the study has no such column."""
    if not column:
        return None
    try:
        return None if math.isfinite(float(row.cells[column])) else "no time of prediction"
    except ValueError:
        return "no time of prediction"


def _undated(row: Row, study: Study) -> str | None:
    """The rule that a row breaks whose date cannot be read, where the study divides patients by it."""
    return next((UNDATED for column in dividing(study) if moment_of(row.cells[column]) is None), None)


def _sparse(row: Row, study: Study) -> str | None:
    """The rule on rows with too much missing: of the cells that the study's tabular modalities read in this table."""
    tables = [spec for spec in study.modalities.values() if isinstance(spec, Tabular) and spec.cells]
    if study.unit.max_missing is None or not tables:
        return None
    missing = sum(missing_in(spec, row.cells) for spec in tables)
    most = study.unit.max_missing * sum(len(spec.cells) for spec in tables)
    return f"more than {study.unit.max_missing:.0%} of the study's columns missing" if missing > most else None


def _copies(rows: Sequence[Row], column: str) -> set[str]:
    """Identifiers all of whose rows are the same."""
    contents: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for row in rows:
        contents[row.cells[column]].add(tuple(row.cells.values()))
    return {key for key, different in contents.items() if len(different) == 1}


def _read_rows(site: Site, harmonizer: Harmonizer) -> tuple[list[str], list[Row]]:
    """Header and rows that hold anything, as the study names things; cells that a row lacks are empty."""
    lines = _read_lines(site)
    header = lines[0][1] if lines else []
    width = len(header)
    if width == 1 and (sign := next((sign for sign in SEPARATORS if sign in header[0]), None)):
        raise SiteError([Problem(TABLE, "", f"its cells are separated by {SEPARATORS[sign]}", "export it with commas")])
    if twice := sorted({name for name in header if name and header.count(name) > 1}):
        raise SiteError([Problem(TABLE, f"column {name}", "stands twice", "keep one") for name in twice])
    header = harmonizer.header(header)
    rows = [
        Row(
            line,
            cells=harmonizer.cells(dict(zip(header, [*cells, *[""] * width], strict=False))),
            given=len(cells),
            filled=max(place for place, cell in enumerate(cells, start=1) if cell),
        )
        for line, cells in lines[1:]
        if any(cells)
    ]
    if not rows:
        raise SiteError([Problem(TABLE, "", "has no patients", "export the table again")])
    return header, rows


def _read_lines(site: Site) -> list[tuple[int, list[str]]]:
    """Every row of the file with the number of its last line, cells stripped; SiteError where it is no table."""
    encoding = "utf-8-sig" if site.encoding.lower() in ("utf-8", "utf8") else site.encoding
    place, remedy = "", "put the table there, or correct data in site.toml"
    try:
        with (site.data / TABLE).open(encoding=encoding, newline="") as file:
            reader = csv.reader(file, strict=True)  # strict: a quote that is not closed must not swallow patients
            try:
                return [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
            except csv.Error:
                place, rule = f"line {reader.line_num}", "is not a table of comma-separated values"
                remedy = "look for a quote that is not closed, or export the table again"
    except FileNotFoundError:
        rule = "no such file in the hospital's folder"
    except UnicodeError:
        rule, remedy = f"is not {site.encoding} text", 'write its encoding into site.toml: encoding = "latin-1"'
    except LookupError:
        problem = Problem("site.toml", "encoding", "no such encoding", 'for instance "utf-8" or "latin-1"')
        raise SiteError([problem]) from None
    except OSError:
        rule, remedy = "cannot be opened", "give this program the right to read it"
    raise SiteError([Problem(TABLE, place, rule, remedy)])
