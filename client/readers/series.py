"""Reads one patient's measurements over time from a long table into the windows of ``shared/modalities/series.py``."""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from client.readers.long_table import LongTable
from client.readers.reading import NO_TABLE, Case, Reader, Reading, Source
from shared.missing import EMPTY
from shared.modalities.series import CHANNELS, Series

if TYPE_CHECKING:
    import pandas as pd

UNREADABLE = "measurements cannot be read"
FINE, NOT_A_NUMBER, COMMA, CODE, RANGE = range(5)  # what a measurement's cell is


def open_series(spec: Series, source: Source) -> Reader:
    """Reads (steps, variables, 4): mean, lowest, highest value in [-1, 1], and whether any was observed, a step.

    The steps part the ``hours`` that end with the prediction, the prediction included; without a declared time of
    prediction they end with the patient's last measurement. A step without a measurement is zeros.
    """
    names = list(spec.variables)
    place = {name: number for number, name in enumerate(names)}
    ranges = np.array([spec.variables[name].range for name in names])
    scales = np.array([spec.variables[name].scale for name in names])

    def convert(part: "pd.DataFrame") -> dict[str, Any]:
        import pandas as pd

        variable = part[spec.columns.variable].map(place).fillna(-1).to_numpy(dtype=np.int16)
        cells = part[spec.columns.value]
        value = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64)
        return {"variable": variable, "value": value, "state": _states(spec, names, variable, value, cells)}

    columns = (spec.columns.variable, spec.columns.value)
    table = LongTable(source, spec.table, spec.columns.patient, spec.columns.time, columns, convert, needs_time=True)

    def look(case: Case) -> Reading:
        rows = table.rows(case)
        if rows is None:
            return Reading(None, (NO_TABLE,))
        known = rows["variable"] >= 0
        faults = _faults(spec, names, rows["variable"][known], rows["state"][known])
        good = known & (rows["state"] == FINE)
        variable, time = rows["variable"][good], rows["time"][good]
        if not len(time):
            return Reading(None, faults)
        end = case.time if np.isfinite(case.time) else time[-1]
        step = np.ceil(spec.steps - (end - time) * spec.steps / spec.hours).astype(np.int64) - 1  # (begin, end]
        inside = step >= 0
        value = _scaled(rows["value"][good], ranges[variable].T, scales[variable])
        if not inside.any():
            return Reading(None, faults)
        tensor = _windows(spec, step[inside], variable[inside], value[inside])
        return Reading(torch.from_numpy(tensor), faults)

    return Reader(look, UNREADABLE, lambda _: [source.folder / spec.table], own_index=True, lines=table.lines)


def _scaled(value: Any, ends: Any, scale: Any) -> Any:
    """Values within their ``ends`` (2, values) as the model takes them, by the scale of each one's variable."""
    logs = scale == "log"
    number, low, high = (np.log(part, out=np.array(part), where=logs) for part in (value, *ends))
    return np.where(scale == "none", value, 2 * (number - low) / (high - low) - 1)


def _windows(spec: Series, step: Any, variable: Any, value: Any) -> Any:
    """(steps, variables, 4) float32 of measurements given by step, variable and scaled value."""
    count, total = np.zeros(spec.shape[:2]), np.zeros(spec.shape[:2])
    lowest, highest = np.full(spec.shape[:2], np.inf), np.full(spec.shape[:2], -np.inf)
    at = (step, variable)
    np.add.at(count, at, 1)
    np.add.at(total, at, value)
    np.minimum.at(lowest, at, value)
    np.maximum.at(highest, at, value)
    seen = count > 0
    parts = [total / np.maximum(count, 1), np.where(seen, lowest, 0), np.where(seen, highest, 0), seen]
    assert len(parts) == len(CHANNELS)
    return np.stack(parts, axis=-1).astype(np.float32)


def _states(spec: Series, names: list[str], variable: Any, value: Any, cells: "pd.Series[str]") -> Any:
    """What each cell is, as a small number; an empty one counts as a code for missing."""
    state = np.full(len(value), FINE, dtype=np.int8)
    unread = np.isnan(value)
    state[unread] = NOT_A_NUMBER
    state[unread & cells.str.fullmatch(r"[+-]?\d+,\d+").to_numpy(dtype=bool)] = COMMA
    state[cells.str.lower().isin(EMPTY).to_numpy()] = CODE
    for number, name in enumerate(names):
        numeric, mine = spec.variables[name], variable == number
        outside = mine & ~unread & ~((value >= numeric.range[0]) & (value <= numeric.range[1]))
        state[outside] = RANGE
        state[mine & np.isin(value, numeric.missing)] = CODE
    return state


def _faults(spec: Series, names: list[str], variable: Any, state: Any) -> tuple[str, ...]:
    """The rules that a patient's measurements break, each once."""
    met = sorted({(int(number), int(kind)) for number, kind in zip(variable, state, strict=True)})
    return tuple(f"{names[number]}: {_rule(spec, names[number], kind)}" for number, kind in met if kind != FINE)


def _rule(spec: Series, name: str, kind: int) -> str:
    low, high = spec.variables[name].range
    return {
        NOT_A_NUMBER: "not a number, left out",
        COMMA: "a decimal comma instead of a point, left out",
        CODE: "a code for missing",
        RANGE: f"outside [{low:g}, {high:g}], left out",
    }[kind]
