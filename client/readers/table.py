"""Reads one patient's columns of a table into the scaled vector of ``shared/modalities/tabular.py``."""

import math
from collections.abc import Mapping

import torch

from client.readers.long_table import LongTable
from client.readers.reading import NO_TABLE, Case, Reader, Reading, Source
from shared.missing import EMPTY
from shared.modalities.tabular import Categorical, Numeric, Tabular

UNREADABLE = "row cannot be read"
SEVERAL = "several rows of one patient in the table, none taken"


def open_table(spec: Tabular, source: Source) -> Reader:
    """Reads (features,): numbers scaled to [-1, 1], categories one-hot, then a missing indicator for each column.

    What cannot be read counts as missing, with a fault that names the column and the rule. Absent if all is missing.
    Of another table than ``patients.csv`` a patient has one row, or none.
    """
    if not spec.table:
        return Reader(lambda case: read_row(spec, case.row), UNREADABLE)
    columns = tuple(spec.columns)
    table = LongTable(
        source, spec.table, source.patient, "", columns, lambda part: {name: part[name] for name in columns}
    )

    def look(case: Case) -> Reading:
        found = table.rows(case, math.inf)
        if found is None:
            return Reading(None, (NO_TABLE,))
        if len(found["time"]) > 1:
            return Reading(None, (SEVERAL,))
        return read_row(spec, {name: str(found[name][0]) for name in columns if len(found["time"])})

    return Reader(look, UNREADABLE, own_index=True, lines=table.lines)


def read_row(spec: Tabular, row: Mapping[str, str]) -> Reading:
    """The vector of one row."""
    faults: list[str] = []
    values: list[float] = []
    missing: list[float] = []
    for name, numeric in spec.numeric.items():
        number = _number(name, numeric, row.get(name, ""), faults)
        values.append(0.0 if number is None else number)
        missing.append(float(number is None))
    for name, categorical in spec.categorical.items():
        place = _category(name, categorical, row.get(name, ""), faults)
        values += [float(place == index) for index in range(len(categorical.values))]
        missing.append(float(place is None))
    if all(missing):
        return Reading(None, tuple(faults))
    return Reading(torch.tensor(values + (missing if spec.indicators else [])), tuple(faults))


def _number(name: str, column: Numeric, text: str, faults: list[str]) -> float | None:
    text = text.strip()
    if text.lower() in EMPTY:
        return None
    try:
        number = float(text)
    except ValueError:
        comma = text.count(",") == 1 and text.replace(",", "").strip("+-").isdigit()
        rule = "a decimal comma instead of a point" if comma else "not a number"
        faults.append(f"{name}: {rule}, read as missing")
        return None
    if number in column.missing:
        faults.append(f"{name}: a code for missing")
        return None
    low, high = column.range
    if not (math.isfinite(number) and low <= number <= high):
        faults.append(f"{name}: outside [{low:g}, {high:g}], read as missing")
        return None
    return number if column.scale == "none" else 2 * (number - low) / (high - low) - 1


def _category(name: str, column: Categorical, text: str, faults: list[str]) -> int | None:
    text = text.strip()
    if text in column.values:
        return column.values.index(text)
    if text in column.missing:
        faults.append(f"{name}: a code for missing")
    elif text.lower() in (value.lower() for value in column.values):
        faults.append(f"{name}: one of {', '.join(column.values)} but for upper and lower case, read as missing")
    elif text.lower() not in EMPTY:
        faults.append(f"{name}: not one of {', '.join(column.values)}, read as missing")
    return None
