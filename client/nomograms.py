"""Scores of published nomograms on a hospital's rows, from the table's own values as the study declares its columns."""

import numpy as np

from client.cells import number_of, word_of
from client.cohort import Cohort
from shared.metrics.delong import Floats
from shared.modalities.tabular import Tabular
from shared.study import Study


def nomogram_scores(cohort: Cohort, study: Study) -> dict[str, Floats]:
    """Log odds (units, 1) by nomogram; a cell that cannot be read counts as missing, as for the models."""
    if not study.nomograms:
        return {}
    tables = [spec for spec in study.modalities.values() if isinstance(spec, Tabular) and not spec.table]
    numeric = {name: column for spec in tables for name, column in spec.numeric.items()}
    categorical = {name: column for spec in tables for name, column in spec.categorical.items()}
    found = {name: np.zeros((len(cohort.units), 1)) for name in study.nomograms}
    for place, unit in enumerate(cohort.units):
        numbers = {name: number_of(name, column, unit.row.get(name, ""), []) for name, column in numeric.items()}
        words = {name: word_of(name, column, unit.row.get(name, ""), []) for name, column in categorical.items()}
        for name, own in study.nomograms.items():
            found[name][place, 0] = own.log_odds(numbers, words)
    return found
