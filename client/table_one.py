"""Table 1 of a cohort from the tables that the models read: no small count, no value of a single patient."""

from collections.abc import Collection, Iterator

import numpy as np
import numpy.typing as npt

from client.site import Limits
from shared.batch import Batch
from shared.metrics.delong import Floats
from shared.modalities.tabular import Numeric, Tabular
from shared.portrait import CategoryColumn, NumberColumn
from shared.study import Study

Table = tuple[tuple[NumberColumn, ...], tuple[CategoryColumn, ...], tuple[str, ...]]


def table_one(study: Study, batch: Batch, limits: Limits) -> Table:
    """Numbers, categories, and columns of which nothing may be told; a patient counts by his first unit."""
    first = np.unique(batch.owner.numpy(), return_index=True)[1]
    numbers: list[NumberColumn] = []
    categories: list[CategoryColumn] = []
    withheld: list[str] = []
    for modality, spec in study.modalities.items():
        if not isinstance(spec, Tabular):
            continue
        values, present = batch.inputs[modality].numpy()[first].astype(np.float64), batch.present[modality].numpy()
        lacks = int((~present[first]).sum())  # the patterns of modalities tell it
        for name, found in columns_of(spec, values, present[first]):
            if found is None:
                withheld.append(name)
            elif name in spec.numeric:
                number = number_column((modality, name), found, limits, lacks)
                numbers += [number] if number else []
                withheld += [] if number else [name]
            else:
                words = len(spec.categorical[name].values)
                counts = np.bincount(found.astype(np.int64) + 1, minlength=words + 1).tolist()
                few = 0 < counts[0] - lacks < limits.min_cell
                if few and counts[0] == sum(counts):
                    withheld.append(name)
                    continue
                told = suppressed([*counts[1:], counts[0]], limits.min_cell, {words} if few else set())
                categories.append(
                    CategoryColumn(modality=modality, column=name, counts=tuple(told[:-1]), missing=told[-1])
                )
    return tuple(numbers), tuple(categories), tuple(withheld)


def columns_of(spec: Tabular, values: Floats, present: npt.NDArray[np.bool_]) -> Iterator[tuple[str, Floats | None]]:
    """Each column of prepared rows (patients, features): numbers, NaN where missing; words by their place, or -1.

    None for numbers of a table without indicators, where a missing one cannot be told from the middle of the range.
    """
    place = 0
    missing = values[:, len(values[0]) - len(spec.columns) :] if spec.indicators else None
    for index, (name, column) in enumerate(spec.numeric.items()):
        lacks = None if missing is None else (missing[:, index] > 0) | ~present
        yield name, None if lacks is None else np.where(lacks, np.nan, _in_unit(column, values[:, place]))
        place += 1
    for name, words in list(spec.categorical.items()):
        part = values[:, place : place + len(words.values)]
        yield name, np.where((part.max(axis=1) > 0) & present, part.argmax(axis=1), -1)
        place += len(words.values)


def _in_unit(column: Numeric, scaled: Floats) -> Floats:
    low, high = column.range
    if column.scale == "log":
        return low * (high / low) ** ((scaled + 1) / 2)
    return scaled if column.scale == "none" else low + (scaled + 1) / 2 * (high - low)


def number_column(name: tuple[str, str], values: Floats, limits: Limits, lacks: int = 0) -> NumberColumn | None:
    """Mean and deviation to three digits; None where few have it, or few differ from the commonest value.

    The number of those without is told unless it is small, or few of them have the modality: ``lacks`` do not, and the
    difference would count the others.
    """
    known = values[~np.isnan(values)]
    lacking = len(values) - len(known)
    if len(known) < limits.min_patients:
        return None
    commonest = int(np.unique(known, return_counts=True)[1].max())
    if 0 < len(known) - commonest < limits.min_cell:
        return None
    return NumberColumn(
        modality=name[0],
        column=name[1],
        mean=_digits(float(known.mean())),
        deviation=_digits(float(known.std(ddof=1))),
        missing=None if 0 < lacking < limits.min_cell or 0 < lacking - lacks < limits.min_cell else lacking,
    )


def suppressed(counts: list[int], min_cell: int, also: Collection[int] = ()) -> list[int | None]:
    """Counts that add up to a known total: small ones are hidden, with the next larger until their sum is no small one.

    Never one alone, as it would be the total less the others. Places in ``also`` are hidden however large they are.
    """
    hidden = {place for place, count in enumerate(counts) if 0 < count < min_cell or place in also}
    order = sorted((count, place) for place, count in enumerate(counts) if count >= min_cell and place not in hidden)
    for _, place in order:
        if not hidden or (len(hidden) > 1 and sum(counts[own] for own in hidden) >= min_cell):
            break
        hidden.add(place)
    return [None if place in hidden else count for place, count in enumerate(counts)]


def _digits(value: float) -> float:
    return float(f"{value:.3g}") + 0.0
