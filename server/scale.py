"""Updates of a round held against each other while they arrive: one that is absurdly large is not taken.

Beside the sums of the strategy one update is in memory: the largest so far, which waits until the others are in.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

import numpy as np

from shared.wire import Arrays

FACTOR = 1e3  # times the median size of the others: no two hospitals' data differ by that


@dataclass(frozen=True)
class Outsized:
    """An update that is not taken, and how many times larger it is than the others' median."""

    site: str
    times: float


def size(update: Arrays) -> float:
    """Root mean square of all values; the same for hospitals that hold different groups."""
    values = sum(array.size for array in update.values())
    return math.sqrt(sum(float(np.vdot(array, array)) for array in update.values()) / max(values, 1))


def sized(updates: Iterator[tuple[str, Arrays]], outsized: list[Outsized]) -> Iterator[tuple[str, Arrays]]:
    """The same updates, the largest last; one that is ``FACTOR`` times the others' median goes to ``outsized``."""
    held: tuple[float, str, Arrays] | None = None
    others: list[float] = []
    for site, update in updates:
        now = (size(update), site, update)
        if held is None:
            held = now
            continue
        passed, held = (held, now) if now[0] > held[0] else (now, held)
        if passed[0] > 0:  # a hospital without a group in this stage sends nothing
            others.append(passed[0])
        yield passed[1], passed[2]
    if held is None:
        return
    if others and held[0] > FACTOR * median(others):
        outsized.append(Outsized(held[1], held[0] / median(others)))
    else:
        yield held[1], held[2]
