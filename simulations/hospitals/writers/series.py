"""Writes a patient's measurements over time as rows of a long table: level and trend show the latent."""

import numpy as np

from shared.modalities.series import Series
from simulations.hospitals.chance import stream
from simulations.hospitals.coding import differs, number
from simulations.hospitals.columns import Number, column_of
from simulations.hospitals.writers.sight import Files, Sight

VITAL = {"heart_rate", "sbp", "dbp", "map", "respiratory_rate", "spo2", "temperature", "gcs", "urine_output"}
HOURLY, FASTEST, SLOWEST = 1.2, 3.0, 7.0  # hours between two measurements of a vital sign, and of laboratory values
OWN, NOISE = 0.3, 0.35  # spread of a patient's own level and of a measurement, in spreads of the variable
NEVER = 0.04  # share of variables that were never measured in a patient


def write_series(spec: Series, sight: Sight) -> Files:
    """Irregular measurements in the ``hours`` before the prediction, and some from before those."""
    rng, names = sight.rng, spec.columns
    rows = []
    for variable, declared in spec.variables.items():
        column = column_of(variable, declared, sight.simulation.columns.get(variable))
        assert isinstance(column, Number)
        own = differs(sight.site, variable, sight.simulation.shift.coding)
        level, never = OWN * rng.standard_normal(), rng.random() < NEVER and len(spec.variables) > 1
        for time in _times(spec, variable, sight.hour, rng):
            if never:
                continue
            part = (time - sight.hour) / spec.hours + 1  # 1 at the prediction
            score = level + sight.latent * (0.55 + 0.45 * part) + NOISE * rng.standard_normal()
            value = f"{column.value(float(score)):.{column.decimals}f}"
            rows.append((float(time), variable, number(value, declared.unit, own)))
    if sight.rng.random() < 0.3:  # measured after the prediction: must not be read
        rows.append((sight.hour + 3.0, variable, value))
    return Files(
        rows={
            spec.table: [
                {
                    names.patient: sight.whose(names.patient),
                    names.time: f"{time:.2f}",
                    names.variable: variable,
                    names.value: value,
                }
                for time, variable, value in sorted(rows)
            ]
        }
    )


def _times(spec: Series, variable: str, hour: float, rng: np.random.Generator) -> np.ndarray:
    """Hours of the measurements: often for some variables, seldom for others, at least one."""
    own = HOURLY if variable in VITAL else stream("pace", variable).uniform(FASTEST, SLOWEST)
    pace = own * min(1.0, spec.hours / 24)
    span = spec.hours * 1.1
    count = max(1, rng.poisson(span / pace))
    return hour - np.sort(rng.uniform(0, span, count))[::-1]
