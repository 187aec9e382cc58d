"""Reads one patient's list of codes as stable numbers, from a cell or from a table in the order of time."""

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import torch

from client.readers.long_table import LongTable
from client.readers.reading import NO_TABLE, Case, Reader, Reading, Source
from shared.missing import EMPTY
from shared.modalities.concepts import CODES, Concepts

if TYPE_CHECKING:
    import pandas as pd

UNREADABLE = "codes cannot be read"


def open_concepts(spec: Concepts, source: Source) -> Reader:
    """Reads (items,) int64 of hashed codes up to the prediction, zeros after the end; of more codes the last ones."""
    if not spec.table:
        return Reader(lambda case: _reading(spec, _of_cell(spec, case.row.get(spec.column, ""))), UNREADABLE)
    columns = spec.columns

    def convert(part: "pd.DataFrame") -> dict[str, Any]:
        return {"code": part[columns.code].map({code: number_of(code) for code in part[columns.code].unique()})}

    table = LongTable(source, spec.table, columns.patient, columns.time, (columns.code,), convert)

    def look(case: Case) -> Reading:
        rows = table.rows(case)
        return Reading(None, (NO_TABLE,)) if rows is None else _reading(spec, [int(code) for code in rows["code"]])

    return Reader(look, UNREADABLE, lambda _: [source.folder / spec.table], own_index=True, lines=table.lines)


def number_of(code: str) -> int:
    """The same number for a code at every hospital, 1 or more; 0 for what means "no code"."""
    code = code.strip()
    if code.lower() in EMPTY:
        return 0
    return int.from_bytes(blake2b(code.encode("utf-8", errors="replace"), digest_size=8).digest(), "big") % CODES + 1


def _of_cell(spec: Concepts, cell: str) -> list[int]:
    return [number_of(code) for code in cell.split(spec.separator)]


def _reading(spec: Concepts, codes: list[int]) -> Reading:
    known = [code for code in codes if code][-spec.items :]
    if not known:
        return Reading(None)
    tensor = torch.zeros(spec.items, dtype=torch.int64)
    tensor[: len(known)] = torch.tensor(known)
    return Reading(tensor)
