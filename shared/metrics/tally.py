"""The law that every tally obeys: ``of(a) + of(b) == of(a ++ b)``; the only form of a metric that may leave a site."""

from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
T = TypeVar("T", bound="Tally")


class Tally(Protocol):
    """An additive statistic of patients."""

    @classmethod
    def of(cls: type[T], outcome: Floats, score: Floats) -> T:
        """Count patients: ``outcome`` (patients,) 0 or 1, ``score`` (patients,) log odds."""

    def __add__(self: T, other: T) -> T:
        """The tally of both groups of patients together."""
