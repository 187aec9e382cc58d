"""Which columns of a table a model may read: chosen from counts of their cells by class, which add up over hospitals.

A number's declared range has ``CELLS`` cells of equal width, a category one a word; what is missing is a cell too.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from shared.modalities.tabular import Tabular
from shared.outcomes.base import OutcomeSection
from shared.outcomes.binary import Binary
from shared.outcomes.classes import Classes
from shared.study import Study

STAGE, PREFIX = "select", "select."  # of a run, and of the arrays' names before the modality's own
CELLS = 12
Floats = npt.NDArray[np.float64]


def selecting(study: Study) -> dict[str, Tabular]:
    """Tables of which a model reads a part only."""
    return {name: own for name, own in study.modalities.items() if isinstance(own, Tabular) and own.select}


def classes_of(outcome: OutcomeSection) -> int:
    """How many classes the counts are told by; 0 where an outcome has none."""
    return 2 if isinstance(outcome, Binary) else len(outcome.classes) if isinstance(outcome, Classes) else 0


def cells_of(spec: Tabular) -> list[int]:
    """Cells of each column, without the one for what is missing, which follows them."""
    return [CELLS] * len(spec.numeric) + [len(column.values) for column in spec.categorical.values()]


def answer_shape(spec: Tabular, outcome: OutcomeSection) -> tuple[int, ...]:
    """Of a hospital's answer: counts (columns, classes, cells), or of a LASSO its own verdict (columns,)."""
    assert spec.select
    if spec.select.by == "lasso":
        return (len(spec.columns),)
    return len(spec.columns), classes_of(outcome), max(cells_of(spec)) + 1


def scores(spec: Tabular, told: Floats) -> Floats:
    """How much each column says of the outcome, (columns,), from all hospitals' answers added up."""
    assert spec.select
    if spec.select.by == "lasso":
        return told
    tables = [table[:, : cells + 1] for table, cells in zip(told, cells_of(spec), strict=True)]
    if spec.select.by == "mutual-information":
        return np.array([mutual_information(table) for table in tables])
    numbers = len(spec.numeric)
    return np.array([abs_correlation(t) if k < numbers else cramer_v(t[:, :-1]) for k, t in enumerate(tables)])


def mutual_information(table: Floats) -> float:
    """Of class and cell in nats, from counts (classes, cells), less what chance alone gives (Miller and Madow 1955)."""
    n = table.sum()
    if n <= 0:
        return 0.0
    p = table / n
    expected = p.sum(axis=1, keepdims=True) * p.sum(axis=0, keepdims=True)
    told = float(np.sum(p[p > 0] * np.log(p[p > 0] / expected[p > 0])))
    rows, columns = (int((p.sum(axis=axis) > 0).sum()) for axis in (1, 0))
    return told - float((rows - 1) * (columns - 1) / (2 * n))


def abs_correlation(table: Floats) -> float:
    """Size of Pearson's correlation of the cell's middle with the class's number, (classes, cells + missing)."""
    known = table[:, :-1]
    weight, n = known / max(known.sum(), 1e-12), known.sum()
    place, number = np.arange(known.shape[1], dtype=np.float64), np.arange(len(known), dtype=np.float64)
    x, y = place - weight.sum(axis=0) @ place, number - weight.sum(axis=1) @ number
    spread = (weight.sum(axis=0) @ x**2) * (weight.sum(axis=1) @ y**2)
    return float(abs(y @ weight @ x) / np.sqrt(spread)) if n > 0 and spread > 0 else 0.0


def cramer_v(table: Floats) -> float:
    """Association of class and word from counts (classes, words); of two and two it is the correlation's size."""
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(table.shape, default=0) < 2:
        return 0.0
    n = table.sum()
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / n
    return float(np.sqrt(np.sum((table - expected) ** 2 / expected) / n / (min(table.shape) - 1)))


def kept(spec: Tabular, found: Floats) -> list[str]:
    """The declared number of columns, those that say most, in the order of the table; of equal ones the first."""
    assert spec.select
    best = np.argsort(-found, kind="stable")[: spec.select.keep]
    return [spec.columns[place] for place in sorted(best.tolist())]


def mask(spec: Tabular, columns: Sequence[str]) -> npt.NDArray[np.float32]:
    """One for every input of these columns and zero for all others, (features,)."""
    sizes = [1] * len(spec.numeric) + [len(column.values) for column in spec.categorical.values()]
    own = np.array([name in columns for name in spec.columns], dtype=np.float32)
    return np.concatenate([np.repeat(own, sizes), *([own] if spec.indicators else [])])
