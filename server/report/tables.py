"""The tables of a run as CSV files: one line a row of the results, for whoever wants to compute further."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from server.report.books import Spent
from server.report.participants import CohortRecord
from server.report.results import CrossSite, Metric, Results
from shared.sections import Section


def write_tables(results: Results, folder: Path) -> None:
    """Write ``metrics``, ``cohorts``, ``cross_site`` and ``privacy`` into the folder; empty cells are undefined."""
    tables: dict[str, tuple[type[Section], Sequence[Section]]] = {
        "metrics": (Metric, results.metrics),
        "cohorts": (CohortRecord, results.cohorts),
        "cross_site": (CrossSite, results.cross_site),
        "privacy": (Spent, results.privacy.sites),
    }
    for name, (kind, rows) in tables.items():
        (folder / f"{name}.csv").write_text(_csv(list(kind.model_fields), rows), encoding="utf-8", newline="\n")


def _csv(columns: Sequence[str], rows: Sequence[Section]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_text(getattr(row, column)) for column in columns] for row in rows)
    return stream.getvalue()


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "; ".join(f"{rule}={'' if number is None else number}" for rule, number in value.items())
    return str(value)
