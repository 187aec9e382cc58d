"""Names hospitals whose updates point against the others', whatever strategy combines them.

Of each update a sketch of at most ``WIDTH`` numbers is kept (count sketch, Charikar et al. 2002: inner products are
kept on average), so that memory does not grow with the model. Nothing is left out of the average for its direction:
a strategy does that, and people read the line.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from shared.wire import Arrays

WIDTH = 4096
PIECE = 1 << 18  # values that are hashed at a time
AGAINST = -0.25  # a mean cosine over the rounds that count
AGREED = 0.2  # the middle hospital's cosine: below it a round says nothing, as near an optimum, where all differ
ROUNDS = 2  # at least, before a hospital is named

Sketch = npt.NDArray[np.float64]  # (WIDTH,), or the update itself where it is shorter


def sketch(update: Arrays) -> Sketch:
    """A short vector whose inner products stand for those of whole updates; the same for the same parameters."""
    if sum(values.size for values in update.values()) <= WIDTH:
        return np.concatenate([np.ravel(update[name]) for name in sorted(update)]).astype(np.float64)
    found, place = np.zeros(WIDTH), 0
    for name in sorted(update):
        flat = np.ravel(update[name])
        for start in range(0, flat.size, PIECE):
            piece = flat[start : start + PIECE]
            hashed = np.arange(place, place + piece.size, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)  # Fibonacci
            signs = 1.0 - 2.0 * ((hashed >> np.uint64(30)) & np.uint64(1)).astype(np.float64)
            found += np.bincount((hashed >> np.uint64(52)).astype(np.int64), weights=signs * piece, minlength=WIDTH)
            place += piece.size
    return found


class Directions:
    """The sketches of a round; the cosines of a stage go to ``cosines`` by hospital."""

    def __init__(self, cosines: dict[str, list[float]]) -> None:
        self._cosines = cosines
        self._round: dict[str, tuple[frozenset[str], Sketch]] = {}

    def add(self, site: str, update: Arrays) -> None:
        """Note one hospital's update of this round."""
        if update:
            self._round[site] = (frozenset(update), sketch(update))

    def close_round(self) -> None:
        """Each hospital's middle cosine with the others that trained the same groups; of two, nobody is the odd one."""
        middles: dict[str, float] = {}
        for site, (groups, own) in self._round.items():
            others = [theirs for name, (held, theirs) in self._round.items() if name != site and held == groups]
            if len(others) >= 2:
                middles[site] = float(np.median([_cosine(own, other) for other in others]))
        if middles and np.median(list(middles.values())) >= AGREED:
            for site, middle in middles.items():
                self._cosines.setdefault(site, []).append(middle)
        self._round = {}


def against(cosines: Mapping[str, list[float]]) -> dict[str, float]:
    """Hospitals that pointed against the others in a stage, with their mean cosine."""
    means = {site: float(np.mean(found)) for site, found in cosines.items() if len(found) >= ROUNDS}
    return {site: mean for site, mean in sorted(means.items()) if mean < AGAINST}


def _cosine(first: Sketch, second: Sketch) -> float:
    norms = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / norms if norms > 0 else 0.0
