"""From a hospital's own columns, words, units and dates to the study's, by rules in ``site.toml``.

A cell that a rule cannot read stays as it is, so that the reader's own rule finds and counts it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field

from shared.errors import Problem, SiteError
from shared.sections import Section

HOURS = {"hours": 1.0, "days": 24.0, "years": 24 * 365.25}
ORIGIN = datetime(1970, 1, 1)


class Conversion(Section):
    """The study's number is ``factor`` times the hospital's plus ``offset``, in rows whose cells are as ``where``."""

    factor: float = 1.0
    offset: float = 0.0
    where: dict[str, str] = {}


class Dated(Section):
    """A date becomes a number: time ``since`` another column's date, or since 1970, one clock for all tables."""

    format: str = Field(min_length=2)  # as "%d.%m.%Y %H:%M"
    since: str = ""
    to: Literal["hours", "days", "years"] = "hours"


class Rules(Section):
    """Rules of one table, in the order in which they are applied; all but ``columns`` use the study's names."""

    columns: dict[str, str] = {}  # the study's name by the hospital's
    decimal_comma: tuple[str, ...] = ()
    dates: dict[str, Dated] = {}
    values: dict[str, dict[str, str]] = {}  # by column: the study's word by the hospital's
    units: dict[str, tuple[Conversion, ...]] = {}

    @property
    def used(self) -> set[str]:
        """Columns that rules speak of, by the study's names."""
        beside = {dated.since for dated in self.dates.values() if dated.since}
        return {*self.decimal_comma, *self.dates, *self.values, *self.units, *beside}


class Harmonizer:
    """Applies a table's rules and counts what they changed, by (column, rule)."""

    def __init__(self, table: str, rules: Rules) -> None:
        self._table, self._rules = table, rules
        self.changed: Counter[tuple[str, str]] = Counter()

    def header(self, given: Sequence[str]) -> list[str]:
        """The columns by the study's names; SiteError where a rule speaks of a column that the table lacks."""
        renamed = [self._rules.columns.get(name, name) for name in given]
        missing = [*(set(self._rules.columns) - set(given)), *(self._rules.used - set(renamed))]
        place = f'harmonization."{self._table}"'
        problems = [
            Problem("site.toml", place, f'the table has no column "{name}"', "correct the rule")
            for name in sorted(missing)
        ]
        problems += [
            Problem("site.toml", place, f'two columns would be named "{name}"', "rename one of them")
            for name in sorted({name for name in renamed if name and renamed.count(name) > 1} - set(_twice(given)))
        ]
        if problems:
            raise SiteError(problems)
        return renamed

    def cells(self, row: Mapping[str, str]) -> dict[str, str]:
        """A row's cells as the study writes them."""
        own = dict(row)
        for column in self._rules.decimal_comma:
            self._set(own, column, _with_point(own[column]), "decimal comma")
        dates = {column: _elapsed(row, column, dated) for column, dated in self._rules.dates.items()}
        for column, text in dates.items():
            self._set(own, column, text, "date")
        for column, words in self._rules.values.items():
            self._set(own, column, words.get(own[column].strip(), own[column]), "other word")
        for column, conversions in self._rules.units.items():
            self._set(own, column, _converted(own, column, conversions), "other unit")
        return own

    def _set(self, row: dict[str, str], column: str, text: str, rule: str) -> None:
        if row[column] != text:
            row[column] = text
            self.changed[column, rule] += 1


def _twice(names: Sequence[str]) -> list[str]:
    return [name for name in names if names.count(name) > 1]


def _with_point(text: str) -> str:
    """ "1.234,5" and "1234,5" as "1234.5"; what holds no single comma stays."""
    return text.replace(".", "").replace(",", ".") if text.count(",") == 1 else text


def _elapsed(row: Mapping[str, str], column: str, dated: Dated) -> str:
    try:
        start = datetime.strptime(row[dated.since].strip(), dated.format) if dated.since else ORIGIN
        hours = (datetime.strptime(row[column].strip(), dated.format) - start).total_seconds() / 3600
    except ValueError:
        return row[column]
    return f"{hours / HOURS[dated.to]:.10g}"


def _converted(row: Mapping[str, str], column: str, conversions: Sequence[Conversion]) -> str:
    """The first conversion whose condition holds; a text that is no number stays."""
    for one in conversions:
        if all(row.get(name, "").strip() == word for name, word in one.where.items()):
            try:
                return f"{float(row[column]) * one.factor + one.offset:.10g}"
            except ValueError:
                return row[column]
    return row[column]
