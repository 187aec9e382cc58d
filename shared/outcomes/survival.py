"""Time to an event with censoring: a discrete-time hazard over declared intervals.

Score j is the log odds of the event in interval j among those who reach it (Gensheimer and Narasimhan 2019); a unit's
loss needs no other unit, as a partial likelihood would. Censored within an interval counts as having survived half of
it or more if censored in its second half, otherwise as not having entered it.
"""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from shared.outcomes.base import Floats, OutcomeSection, Target, Truth, number, word


class Survival(OutcomeSection):
    """``time`` in any unit, ``cuts`` the ends of the intervals in it; what happens after the last cut is unseen."""

    kind: Literal["survival"]
    time: str
    event: str
    positive: tuple[str, ...] = Field(min_length=1)
    negative: tuple[str, ...] = Field(min_length=1)
    cuts: tuple[float, ...] = Field(min_length=2)
    unit: str = ""

    @model_validator(mode="after")
    def _rising(self) -> "Survival":
        if list(self.cuts) != sorted(set(self.cuts)) or self.cuts[0] <= 0:
            raise ValueError(f"cuts must rise from above 0, got {list(self.cuts)}")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Time and event."""
        return (self.time, self.event)

    @property
    def outputs(self) -> int:
        """The log odds of the event in each interval."""
        return len(self.cuts)

    @property
    def proportional(self) -> bool:
        """One direction of risk; the baseline hazard of each interval is its intercept."""
        return True

    @property
    def truths(self) -> int:
        """Time and event."""
        return 2

    @property
    def phrase(self) -> str:
        """What is predicted, for readers of a report."""
        return f"time to {self.event} {' or '.join(self.positive)}"

    def read(self, row: Mapping[str, str]) -> Truth | str:
        """Time (at least 0) and event (1) or censoring (0)."""
        time = number(row[self.time], 0.0, np.inf)
        event = word(row[self.event], {**dict.fromkeys(self.positive, 1.0), **dict.fromkeys(self.negative, 0.0)})
        if isinstance(time, str) or isinstance(event, str):
            return time if isinstance(time, str) else str(event)
        return time, event

    def example(self, number: int) -> Truth:
        """Times within and after the intervals, every second with an event."""
        return self.cuts[number % len(self.cuts)] * (0.9 if number % 3 else 1.1), float(number % 2)

    def strata(self, truth: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """With and without an event."""
        return truth[:, 1].astype(np.int64)

    def events(self, truth: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Who had the event while observed."""
        return np.asarray(truth[:, 1] == 1)

    @property
    def nested(self) -> bool:
        """Who had the event by one cut had it by the next."""
        return True

    def targets(self, truth: Floats, scores: Floats) -> dict[str, Target]:
        """The event before each cut, among those whose state at the cut is known."""
        survival = np.cumprod(1 / (1 + np.exp(scores)), axis=1)
        questions = {}
        for place, cut in enumerate(self.cuts):
            known = (truth[:, 0] >= cut) | (truth[:, 1] == 1)
            early = ((truth[:, 0] < cut) & (truth[:, 1] == 1)).astype(np.float64)
            alive = np.clip(survival[:, place], 1e-12, 1 - 1e-12)
            questions[f"by-{cut:g}"] = Target(early[known], np.log((1 - alive) / alive)[known], known)
        return questions

    def measures(self, truth: Floats, scores: Floats) -> dict[str, float]:
        """Harrell's C with its standard error, and Uno's up to the last cut: among these units only."""
        from shared.metrics.concordance import PairCounts, uno_c  # here, as it waits for scipy

        time, event, risk = truth[:, 0], truth[:, 1], self.risk(scores)
        pairs = PairCounts.of(time, event, risk)
        found = {"c_index": pairs.c(), "c_index_error": pairs.error(), "uno_c": uno_c(time, event, risk, self.cuts[-1])}
        return {name: round(value, 3) for name, value in found.items() if value is not None}

    def risk(self, scores: Floats) -> Floats:
        """One number that rises with risk, (units,): the expected number of events by the last cut."""
        return np.asarray(-np.log(np.cumprod(1 / (1 + np.exp(scores)), axis=1)[:, -1]))
