"""One table with a column that names the hospital, as one folder a hospital; nothing else is changed."""

import csv
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from shared.errors import FileError, Problem
from simulations.importers.tables import reasons, site_name, sizes
from simulations.site_file import write_site_file

MOST = 500  # hospitals: more are a column that names something else
UNNAMED = "rows without a hospital"
WIDTH = "rows with more or fewer cells than columns"


def import_table(source: Path, target: Path, sites: str = "") -> list[str]:
    """Split ``source``, a csv file or a folder with one, by the column ``sites``; read row by row, in little memory.

    Returns what was done and dropped, in sentences; FileError for a file that is no such table.
    """
    path = _only_table(source)
    dropped, counts = Counter[str](), Counter[str]()
    with _rows(path) as (header, rows), ExitStack() as files:
        if not sites or header.count(sites) != 1:
            rule = "name the column that says whose a row is" if not sites else f'"{sites}" is not one of its columns'
            raise FileError([Problem(path.name, "--sites", rule, f"its columns are {', '.join(header)}")])
        if "patient_id" not in header:
            raise FileError([Problem(path.name, "column patient_id", "is missing", "rename the one that is meant")])
        place, writers, meant = header.index(sites), dict[str, Any](), dict[str, str]()
        patient, first, several = header.index("patient_id"), dict[str, str](), set[str]()
        for row in rows:
            name = site_name(row[place]) if len(row) == len(header) else ""
            if not name:
                dropped[WIDTH if len(row) != len(header) else UNNAMED] += 1
                continue
            _one_name(path.name, sites, meant, name, row[place].strip())
            if name not in writers:
                write_site_file(target / name, name)
                file = files.enter_context((target / name / "patients.csv").open("w", encoding="utf-8", newline=""))
                writers[name] = csv.writer(file)
                writers[name].writerow(header[:place] + header[place + 1 :])
            writers[name].writerow(row[:place] + row[place + 1 :])
            counts[name] += 1
            if (who := row[patient].strip()) and first.setdefault(who, name) != name:
                several.add(who)
    told = [f"{name}: {count} rows" for name, count in sorted(counts.items())]
    return [*told, *reasons(dropped), *_shared(len(several)), sizes(dict(sorted(counts.items())))]


def _shared(patients: int) -> list[str]:
    """What to know of patients of several hospitals: privacy is a patient's, and no hospital knows of the others."""
    what = "each hospital takes such a patient for one of its own, and his privacy is spent at each"
    return [f"{patients} patients are at more than one hospital: {what}"] if patients else []


def _only_table(source: Path) -> Path:
    """The file, or the only csv file of the folder."""
    found = [source] if source.is_file() else sorted(source.glob("*.csv"))
    if len(found) != 1:
        rule = "no such file" if not found else f"{len(found)} csv files in the folder"
        raise FileError([Problem(source.name, "", rule, "name one csv file, or a folder with one")])
    return found[0]


def _one_name(file: str, column: str, meant: dict[str, str], name: str, text: str) -> None:
    """FileError where two hospitals would share a folder, or there are too many."""
    if meant.setdefault(name, text) != text:
        rule = f'two of its words would both be the folder "{name}"'
        raise FileError([Problem(file, f"column {column}", rule, "write each hospital in one way")])
    if len(meant) > MOST:
        rule = f"has more than {MOST} different words"
        raise FileError([Problem(file, f"column {column}", rule, "name the column of the hospital")])


@contextmanager
def _rows(path: Path) -> Iterator[tuple[list[str], Iterator[list[str]]]]:
    """The header and the rows that hold anything."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [cell.strip() for cell in next(reader, [])]
            yield header, (row for row in reader if any(map(str.strip, row)))
    except (csv.Error, UnicodeError):
        raise FileError([Problem(path.name, "", "is not a table of UTF-8 text", "export it as csv")]) from None
