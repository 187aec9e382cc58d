"""Reads one patient's notes as UTF-8 bytes: from a cell, from files, or from a table of notes in the order of time."""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from client.readers.long_table import LongTable
from client.readers.reading import NO_TABLE, Case, Reader, Reading, Source, file_fault, matched_files, matching
from shared.missing import EMPTY
from shared.modalities.text import BREAK, Text

if TYPE_CHECKING:
    import pandas as pd

UNREADABLE = "text cannot be read"
NOT_UTF8 = "file is not UTF-8 text, left out"


def open_text(spec: Text, source: Source) -> Reader:
    """Reads (bytes,) uint8: the notes up to the prediction, zeros after the end; of longer notes the last part."""
    if spec.path:
        return _of_files(spec, source)
    if spec.table:
        return _of_table(spec, source)
    return Reader(lambda case: _reading(spec, [case.row.get(spec.column, "")]), UNREADABLE, lambda _: [])


def _of_files(spec: Text, source: Source) -> Reader:
    def look(case: Case) -> Reading:
        paths = matching(spec.path, case, source.folder)
        if isinstance(paths, str):
            return Reading(None, (paths,))
        faults, notes = [], []
        for path in paths:
            fault = file_fault(path, source.folder)
            try:
                notes += [] if fault else [path.read_text(encoding="utf-8-sig")]
            except UnicodeError:
                fault = NOT_UTF8
            faults += [fault] if fault else []
        return _reading(spec, notes, tuple(faults))

    return Reader(look, UNREADABLE, matched_files(spec.path, source.folder))


def _of_table(spec: Text, source: Source) -> Reader:
    columns = spec.columns

    def convert(part: "pd.DataFrame") -> dict[str, Any]:
        return {"text": part[columns.text].str[-spec.length :]}  # of a longer note the rest can never be needed

    table = LongTable(source, spec.table, columns.patient, columns.time, (columns.text,), convert)

    def look(case: Case) -> Reading:
        rows = table.rows(case)
        return Reading(None, (NO_TABLE,)) if rows is None else _reading(spec, list(rows["text"]))

    return Reader(look, UNREADABLE, lambda _: [source.folder / spec.table], own_index=True, lines=table.lines)


def _reading(spec: Text, notes: list[str], faults: tuple[str, ...] = ()) -> Reading:
    """The notes one after the other; absent where none says anything."""
    said = [note.replace("\0", " ").strip() for note in notes if note.strip().lower() not in EMPTY]
    content = BREAK.join(said).encode("utf-8", errors="replace")
    if not content:
        return Reading(None, faults)
    last = content[-spec.length :]
    last = last.decode("utf-8", errors="ignore").encode() if len(content) > spec.length else last  # no half letter
    tensor = torch.zeros(spec.length, dtype=torch.uint8)
    tensor[: len(last)] = torch.from_numpy(np.frombuffer(last, dtype=np.uint8).copy())
    return Reading(tensor, faults)
