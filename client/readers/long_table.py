"""Reads a table of the folder in parts and indexes it by patient, in the order of time."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from client.harmonization import Harmonizer, Rules
from client.readers.reading import Case, Source, within
from shared.errors import Problem, SiteError

if TYPE_CHECKING:
    import pandas as pd

CHUNK = 200_000  # rows read at once
LEFT_OUT = "more cells than columns, row left out"
NO_TIME = "a time that is not a number, row left out"
Convert = Callable[["pd.DataFrame"], Mapping[str, Any]]
Places = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class LongTable:
    """A table of several rows a patient, opened at the first question.

    ``columns`` are read beside patient and time; ``convert`` makes of each part of the table the arrays that are kept,
    so that of a table larger than memory only what is needed stays. ``lines`` has this table's lines by the rule they
    break.
    """

    source: Source
    name: str
    patient: str
    time: str  # hours; without a time of prediction in the study the column may be absent, and rows keep their order
    columns: tuple[str, ...]
    convert: Convert
    needs_time: bool = False
    lines: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def rows(self, case: Case, until: float | None = None) -> Mapping[str, Any] | None:
        """A case's rows up to its time, or another, {column: values} with "time"; None where there is no such table.

        The rows are those that name what ``patients.csv`` names in a column of the same name, as a stay, or else the
        patient.
        """
        if self._index is None:
            return None
        places, kept = self._index
        begin, end = places.get(case.row.get(self.patient, case.patient), (0, 0))
        until = case.time if until is None else until
        known = 0 if np.isnan(until) else int(np.searchsorted(kept["time"][begin:end], until, side="right"))
        return {name: values[begin : begin + known] for name, values in kept.items()}

    @cached_property
    def _harmonizer(self) -> Harmonizer:
        return Harmonizer(self.name, self.source.harmonization.get(self.name, Rules()))

    @cached_property
    def _index(self) -> tuple[Places, dict[str, Any]] | None:
        """Where each patient's rows begin and end, and the columns in that order."""
        import pandas as pd

        path = self.source.folder / self.name
        if not within(path, self.source.folder) or not path.is_file():
            return None
        header = self._header()
        parts = [pd.DataFrame(self._converted(part)) for part in self._parts(header)]
        if not parts:
            raise SiteError([Problem(self.name, "", "has no rows", "export the table again")])
        table = pd.concat(parts, ignore_index=True)
        codes, keys = pd.factorize(table.pop("patient"))
        order = np.lexsort((table["time"].to_numpy(), codes))  # stable: rows of one time keep their order
        counts = np.bincount(codes, minlength=len(keys))
        ends = np.cumsum(counts)
        places = {str(key): (int(end - count), int(end)) for key, end, count in zip(keys, ends, counts, strict=True)}
        return places, {str(name): table[name].to_numpy()[order] for name in table}

    def _converted(self, part: "pd.DataFrame") -> dict[str, Any]:
        """What is kept of a part of the table; rows without a readable time go, if there is a column of times."""
        import pandas as pd

        time = np.zeros(len(part))
        if self.time in part:
            time = pd.to_numeric(part[self.time], errors="coerce").to_numpy(dtype=np.float64)
            good = np.isfinite(time)
            self._tell(NO_TIME, part.index[~good])
            part, time = part[good], time[good]
        return {"patient": part[self.patient].to_numpy(), "time": time, **self.convert(part)}

    def _header(self) -> list[str]:
        """The table's columns; SiteError where one that is needed is not there, or the file is no such table."""
        with self._opened() as file:
            header = self._harmonizer.header([cell.strip() for cell in next(csv.reader(file), [])])
        if len(header) == 1 and re.search(r"[;\t|]", header[0]):
            raise SiteError([Problem(self.name, "", "its cells are not separated by commas", "export it with commas")])
        timed = [self.time] if self.time and (self.source.timed or self.needs_time) else []
        absent = [name for name in dict.fromkeys((self.patient, *timed, *self.columns)) if name not in header]
        if absent:
            raise SiteError([self._absent(name, header) for name in absent])
        return header

    def _absent(self, name: str, header: Sequence[str]) -> Problem:
        near = get_close_matches(name.lower(), [column.lower() for column in header], n=1)
        meant = next((column for column in header if near and column.lower() == near[0]), "")
        remedy = f'the table has "{meant}": rename it' if meant else "add it, or rename the column that is meant"
        return Problem(self.name, f"column {name}", "is missing", remedy)

    def _parts(self, header: list[str]) -> "Iterator[pd.DataFrame]":
        """The table in parts: cells stripped, rows under their line in the file, those with too many cells left out."""
        import pandas as pd

        wanted = [name for name in dict.fromkeys((self.patient, self.time, *self.columns)) if name in header]
        width = len(header)
        with self._opened() as file:
            reader = csv.reader(file, strict=True)  # strict: a quote that is not closed must not swallow patients
            next(reader, None)
            for first in reader:
                rows: dict[int, list[str]] = {}
                for cells in chain([first], islice(reader, CHUNK - 1)):
                    if any(map(str.strip, cells[width:])):
                        self._tell(LEFT_OUT, [reader.line_num])
                    elif any(cells):
                        padded = [*cells, *[""] * (width - len(cells))]
                        own = self._harmonizer.cells(dict(zip(header, map(str.strip, padded), strict=False)))
                        rows[reader.line_num] = [own[name] for name in wanted]
                if rows:
                    yield pd.DataFrame(list(rows.values()), columns=wanted, index=list(rows), dtype=object)

    def _tell(self, rule: str, lines: Any) -> None:
        """Keep lines of this table under a rule."""
        if len(lines):
            told = f"{self.name}: {rule}"
            self.lines[told] = (*self.lines.get(told, ()), *map(int, lines))

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        """The table's text; SiteError, without the text of the error, where the whole table cannot be used."""
        given = self.source.encoding
        encoding = "utf-8-sig" if given.lower() in ("utf-8", "utf8") else given
        try:
            with (self.source.folder / self.name).open(encoding=encoding, newline="") as file:
                yield file
            return
        except csv.Error:
            rule, remedy = "is not a table of comma-separated values", "look for a quote that is not closed"
        except UnicodeError:
            rule, remedy = f"is not {given} text", 'write its encoding into site.toml: encoding = "latin-1"'
        except OSError:
            rule, remedy = "cannot be opened", "give this program the right to read it"
        raise SiteError([Problem(self.name, "", rule, remedy)])
