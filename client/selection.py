"""What a hospital tells of its training patients so that columns can be chosen: counts without small cells, or its own
LASSO's verdict where it chooses alone."""

import warnings
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from client.prognosis import merged_edges
from shared.batch import Batch
from shared.modalities.tabular import Tabular
from shared.outcomes.base import OutcomeSection
from shared.selection import CELLS, Floats, answer_shape, cells_of, classes_of

PATH = 100  # penalties, from the one that keeps nothing


def answer(spec: Tabular, outcome: OutcomeSection, batch: Batch, name: str, min_cell: int) -> Floats:
    """The hospital's answer on one table, of ``answer_shape``; patients who lack the whole table count nowhere."""
    known = batch.pick(batch.present[name])
    rows = known.inputs[name].numpy().astype(np.float64)
    classes = outcome.strata(known.outcome.numpy())
    assert spec.select
    if spec.select.by == "lasso":
        return entries(spec, rows, classes)
    told = np.zeros(answer_shape(spec, outcome))
    if len(known):
        shares = 1 / np.bincount(known.owner.numpy())[known.owner.numpy()]  # a patient's units add up to one
        for column, (cells, size) in enumerate(zip(placed(spec, rows), cells_of(spec), strict=True)):
            table = np.zeros((classes_of(outcome), size + 1))
            np.add.at(table, (classes, cells), shares)
            told[column, :, : size + 1] = gathered(table, min_cell)
    return told


def placed(spec: Tabular, rows: Floats) -> list[npt.NDArray[np.int64]]:
    """The cell of every unit in each column, from prepared vectors (units, features); the last is "missing"."""
    found, start, count = [], len(spec.numeric), len(spec.columns)
    gone = rows[:, -count:] == 1 if spec.indicators else np.zeros((len(rows), count), dtype=np.bool_)
    for place, column in enumerate(spec.numeric.values()):
        low, high = (column.scaled(end) for end in column.range)
        cell = np.clip((rows[:, place] - low) / (high - low) * CELLS, 0, CELLS - 1).astype(np.int64)
        found.append(np.where(gone[:, place], CELLS, cell))
    for place, words in enumerate(spec.categorical.values(), start=len(spec.numeric)):
        part = rows[:, start : start + len(words.values)]
        absent = gone[:, place] | ~part.any(axis=1)
        found.append(np.where(absent, len(words.values), part.argmax(axis=1)))
        start += len(words.values)
    return found


def gathered(table: Floats, min_cell: int) -> Floats:
    """The same counts (classes, cells) with small ones joined to their neighbours, in the middle of what was joined.

    All zeros where even the whole has a small class.
    """
    edges = merged_edges(table, min_cell)
    joined = np.zeros_like(table)
    for start, end in pairwise(edges):
        joined[:, (start + end - 1) // 2] = table[:, start:end].sum(axis=1)
    return joined


def entries(spec: Tabular, rows: Floats, classes: npt.NDArray[np.int64]) -> Floats:
    """For each column the largest penalty at which a LASSO of the class's number keeps an input of it, (columns,)."""
    from sklearn.linear_model import lasso_path

    spread = rows.std(axis=0)
    scaled = np.where(spread > 0, (rows - rows.mean(axis=0)) / np.where(spread > 0, spread, 1.0), 0.0)
    if not len(rows) or not scaled.any() or len(np.unique(classes)) < 2:
        return np.zeros(len(spec.columns))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # inputs of one category depend on each other, which slows the last penalties
        penalties, weights, _ = lasso_path(scaled, classes - classes.mean(), n_alphas=PATH)
    first = (np.abs(weights) > 0).argmax(axis=1)
    entered = np.where((np.abs(weights) > 0).any(axis=1), penalties[first], 0.0)
    sizes = [1] * len(spec.numeric) + [len(column.values) for column in spec.categorical.values()]
    inputs = np.repeat(np.arange(len(sizes)), sizes)
    owner = np.concatenate([inputs, *([np.arange(len(sizes))] if spec.indicators else [])])
    return np.array([entered[owner == column].max() for column in range(len(sizes))])
