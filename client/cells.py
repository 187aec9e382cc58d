"""Reads one cell of a table by what the study declares of its column; what cannot be read is missing, with the rule."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

from shared.missing import EMPTY
from shared.modalities.tabular import Categorical, Numeric, Tabular


def number_of(name: str, column: Numeric, text: str, faults: list[str]) -> float | None:
    """The number in a cell, in the table's own units; None where it is missing."""
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
    return number


def word_of(name: str, column: Categorical, text: str, faults: list[str]) -> str | None:
    """The declared word in a cell; None where it is missing."""
    text = text.strip()
    if text in column.values:
        return text
    if text in column.missing:
        faults.append(f"{name}: a code for missing")
    elif text.lower() in (value.lower() for value in column.values):
        faults.append(f"{name}: one of {', '.join(column.values)} but for upper and lower case, read as missing")
    elif text.lower() not in EMPTY:
        faults.append(f"{name}: not one of {', '.join(column.values)}, read as missing")
    return None


def moment_of(text: str) -> datetime | None:
    """The date or time in a cell, ISO 8601 or hours since 1970 (as harmonization writes them), by the local clock.

    None where there is none: also of a year alone, which could be hours, and tells no day.
    """
    if text.isdigit() and len(text) == 4:
        return None
    try:
        if not (text.isdigit() and len(text) == 8):  # 20190701 is a day
            return datetime(1970, 1, 1) + timedelta(hours=float(text))
    except (ValueError, OverflowError):
        pass
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None


def missing_in(spec: Tabular, row: Mapping[str, str]) -> int:
    """How many of a table's columns are missing in a row of it."""
    numbers = [number_of(name, column, row.get(name, ""), []) for name, column in spec.numeric.items()]
    words = [word_of(name, column, row.get(name, ""), []) for name, column in spec.categorical.items()]
    return sum(found is None for found in [*numbers, *words])
