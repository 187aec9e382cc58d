"""A run's results as flat tables, one row a figure or a point of a curve: for CSV and data frames."""

import csv
import io
from collections.abc import Iterator, Sequence

from server.report.layout import Section as PageSection
from server.report.results import Results
from server.report.sections.checklists import CHECKLISTS, UNWRITTEN, items
from shared.sections import Section

Row = dict[str, object]
LISTS = (
    "cohorts", "characteristics", "patterns", "metrics", "comparisons", "cross_site", "meta", "pattern_figures",
    "readers",
    "sample_size", "oracle", "published", "curves", "calibration", "decisions", "survival", "seals", "releases",
)  # fmt: skip


CURVES = {"curves", "calibration", "decisions", "survival"}


def flat_tables(results: Results) -> dict[str, list[Row]]:
    """Every list of the results by its name, without those that are empty; a curve has a row for each of its points."""
    lists: dict[str, Sequence[Section]] = {name: getattr(results, name) for name in LISTS}
    lists |= {"privacy": results.privacy.sites, "rounds": results.timing.rounds}
    return {
        name: [line for row in rows for line in (_points if name in CURVES else _single)(row.model_dump())]
        for name, rows in lists.items()
        if rows
    }


def csv_tables(results: Results, sections: Sequence[PageSection]) -> dict[str, str]:
    """CSV texts by the names of their files; empty cells are undefined."""
    tables = flat_tables(results)
    places = {section.key for section in sections} | {table.key for section in sections for table in section.tables}
    for key in CHECKLISTS:
        tables[key] = [
            {"item": item, "topic": topic, "where": section if section in places else UNWRITTEN}
            for item, topic, section in items(key)
        ]
    return {name: _csv(rows) for name, rows in tables.items()}


def _single(values: Row) -> list[Row]:
    return [values]


def _points(values: Row) -> Iterator[Row]:
    """A row for each point of a curve, with what is of the whole curve in each; risk groups one by one."""
    groups = values.pop("groups", None)
    if isinstance(groups, tuple):
        for group in groups:
            own = {
                f"group_{name}" if name in values or name == "name" else name: value for name, value in group.items()
            }
            yield from _points({**values, **own})
        return
    series = {name: value for name, value in values.items() if isinstance(value, tuple)}
    for place in range(max(map(len, series.values()), default=0)):
        yield {**values, **{name: value[place] if place < len(value) else None for name, value in series.items()}}


def _csv(rows: Sequence[Row]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(rows[0])
    writer.writerows([_text(value) for value in row.values()] for row in rows)
    return stream.getvalue()


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "; ".join(f"{rule}={'' if number is None else number}" for rule, number in value.items())
    if isinstance(value, tuple):
        return "; ".join(map(str, value))
    return str(value)
