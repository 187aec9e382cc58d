"""Whether published proportions fit together: is there any whole-number table of patients that gives them?"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.metrics.classification import ConfusionTally

MEASURES = ("sensitivity", "specificity", "accuracy", "ppv", "npv", "f1")
LARGEST = 2_000_000  # tables looked at; above it nothing is said


@dataclass(frozen=True)
class Printed:
    """A proportion as printed: its value lies within half of its last digit."""

    value: float
    half: float

    @classmethod
    def of(cls, value: float) -> "Printed":
        """From a number whose decimals are those that were printed; 0.90 reads as 0.9 and is taken as coarser."""
        decimals = len(repr(float(value)).partition(".")[2])
        return cls(value, 0.5 * 10.0**-decimals)

    def allows(self, value: float | None) -> bool:
        """Whether rounding ``value`` can print this; a table in which it is undefined does not."""
        return value is not None and abs(value - self.value) <= self.half + 1e-9

    def counts(self, total: int) -> range:
        """Numbers out of ``total`` that print as this."""
        low = max(0, math.ceil((self.value - self.half) * total - 1e-9))
        return range(low, min(total, math.floor((self.value + self.half) * total + 1e-9)) + 1)


def tables_of(n: int, figures: Mapping[str, Printed], events: range | None = None) -> list[ConfusionTally] | None:
    """Every table of ``n`` patients that gives the printed ``figures``; none is a contradiction.

    ``figures`` by name of MEASURES; ``events`` how many patients may have the event, any number without it. None where
    there are too many tables to look at.
    """
    possible = events if events is not None else range(1, n)
    rows = [(total, _candidates(figures.get("sensitivity"), total)) for total in possible]
    negatives = [_candidates(figures.get("specificity"), n - total) for total, _ in rows]
    right = _candidates(figures.get("accuracy"), n)
    if sum(len(tp) * min(len(tn), len(right)) for (_, tp), tn in zip(rows, negatives, strict=True)) > LARGEST:
        return None
    return [
        table
        for (total, positives), others in zip(rows, negatives, strict=True)
        for table in _tables(n, total, positives, others, right)
        if _fits(table, figures)
    ]


def _candidates(printed: Printed | None, total: int) -> range:
    return range(total + 1) if printed is None else printed.counts(total)


def _tables(n: int, events: int, positives: range, others: range, right: range) -> Iterator[ConfusionTally]:
    """``right`` are the numbers of patients that the accuracy allows to be classified right: few tn for each tp."""
    for tp in positives:
        for tn in range(max(others.start, right.start - tp), min(others.stop, right.stop - tp)):
            yield ConfusionTally(tp, n - events - tn, tn, events - tp)


def _fits(table: ConfusionTally, figures: Mapping[str, Printed]) -> bool:
    shares = {name: right / total if total else None for name, (right, total) in table.proportions.items()}
    values = {**shares, "f1": table.f1}
    return all(printed.allows(values[name]) for name, printed in figures.items())
