"""Reads one patient's columns of a table into the scaled vector of ``shared/modalities/tabular.py``."""

import math
from collections.abc import Mapping

import torch

from client.cells import number_of, word_of
from client.readers.long_table import LongTable
from client.readers.reading import NO_TABLE, Case, Reader, Reading, Source
from shared.modalities.tabular import Tabular

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
    """The vector of one row; a declared fill in place of what is missing, else zeros."""
    faults: list[str] = []
    values: list[float] = []
    missing: list[float] = []
    for name, numeric in spec.numeric.items():
        number = number_of(name, numeric, row.get(name, ""), faults)
        missing.append(float(number is None))
        number = numeric.fill if number is None else number
        values.append(0.0 if number is None else numeric.scaled(number))
    for name, categorical in spec.categorical.items():
        word = word_of(name, categorical, row.get(name, ""), faults)
        missing.append(float(word is None))
        word = categorical.fill if word is None else word
        values += [float(value == word) for value in categorical.values]
    if all(missing):
        return Reading(None, tuple(faults))
    return Reading(torch.tensor(values + (missing if spec.indicators else [])), tuple(faults))
