"""A column of Table 1 of some patients: numbers and categories that add up over hospitals, and differences."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from shared.metrics.table_one import mean_difference, share_difference


@dataclass(frozen=True)
class Number:
    """Patients who have it, mean, standard deviation; who have not (None: too few to tell, and counted as known)."""

    known: int
    mean: float
    deviation: float
    missing: int | None

    def difference(self, other: "Group") -> float | None:
        """Standardized mean difference from another group."""
        if not isinstance(other, Number):
            return None
        return mean_difference((self.mean, other.mean), (self.deviation**2, other.deviation**2))


@dataclass(frozen=True)
class Category:
    """Patients by word, and without one; None where too few to tell."""

    counts: tuple[int | None, ...]
    missing: int | None

    def share(self, count: int | None) -> float | None:
        """Of those who have any; None where it is not known how many these are."""
        told = [own for own in self.counts if own is not None]
        if count is None or len(told) < len(self.counts) or not sum(told):
            return None
        return count / sum(told)

    def difference(self, other: "Group") -> float | None:
        """Standardized difference of the whole variable from another group's; None where a count is not told."""
        if not isinstance(other, Category):
            return None
        mine, theirs = ([own for own in group.counts if own is not None] for group in (self, other))
        if len(mine) != len(self.counts) or len(theirs) != len(self.counts) or not sum(mine) or not sum(theirs):
            return None
        return share_difference(mine, theirs)


Group = Number | Category


def joined(parts: Sequence[Group]) -> Group:
    """Several hospitals' patients together; all of one kind."""
    numbers = [part for part in parts if isinstance(part, Number)]
    if numbers:
        return _numbers(numbers)
    categories = [part for part in parts if isinstance(part, Category)]
    counts = zip(*(part.counts for part in categories), strict=True)
    return Category(tuple(_total(cell) for cell in counts), _total([part.missing for part in categories]))


def _numbers(parts: Sequence[Number]) -> Number:
    known = sum(part.known for part in parts)
    mean = sum(part.known * part.mean for part in parts) / known
    squares = sum((part.known - 1) * part.deviation**2 + part.known * (part.mean - mean) ** 2 for part in parts)
    return Number(known, mean, math.sqrt(squares / max(known - 1, 1)), _total([part.missing for part in parts]))


def _total(counts: Sequence[int | None]) -> int | None:
    told = [count for count in counts if count is not None]
    return sum(told) if len(told) == len(counts) else None
