"""Writes a patient's cells of the clinical table: rounded, some empty, some with a code for missing."""

import numpy as np

from shared.modalities.tabular import Tabular
from simulations.hospitals.coding import differs, number, word
from simulations.hospitals.columns import Column, Number, columns_of, draw
from simulations.hospitals.writers.sight import Files, Sight

REGISTERED = ("age", "sex")  # known of everybody


def write_tabular(spec: Tabular, sight: Sight) -> Files:
    """A cell for each column of the study."""
    simulation, rng = sight.simulation, sight.rng
    columns = columns_of(spec, simulation)
    scores = draw(columns, np.array([sight.severity]), simulation.separation[sight.name], rng)
    cells = {}
    for name, column in columns.items():
        score = float(scores[name][0])
        cells[name] = _cell(column, sight.leaked(name, score))
    for name in columns:
        fate = rng.random()
        codes = spec.numeric[name].missing if name in spec.numeric else ()
        if fate < simulation.empty and name not in REGISTERED:
            cells[name] = ""
        elif fate > 1 - simulation.sentinels and codes:
            cells[name] = str(rng.choice([f"{code:g}" for code in codes]))
    return Files({name: _coded(spec, name, cell, sight) for name, cell in cells.items()})


def _cell(column: Column, score: float) -> str:
    return f"{column.value(score):.{column.decimals}f}" if isinstance(column, Number) else column.value(score)


def _coded(spec: Tabular, name: str, cell: str, sight: Sight) -> str:
    own = differs(sight.site, name, sight.simulation.shift.coding)
    return number(cell, spec.numeric[name].unit, own) if name in spec.numeric else word(cell, own)
