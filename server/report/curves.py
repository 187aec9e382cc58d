"""The curves of a run as types: ROC, calibration with histograms of risk, net benefit, survival by risk group."""

from typing import Literal

from pydantic import model_validator

from server.report.fields import Count, Counts, Number, Numbers, Where, check_estimate, check_lengths
from shared.sections import Section


class Curve(Where):
    """Points of a ROC curve from released tallies: ``x`` is the false, ``y`` the true positive rate."""

    kind: Literal["roc"]
    x: Numbers
    y: Numbers
    bins: Count
    n: Count | None = None  # of the hospitals that kept bins enough, which may be fewer than the AUC is of

    @model_validator(mode="after")
    def _paired(self) -> "Curve":
        if len(self.x) != len(self.y):
            raise ValueError("a curve has as many x as y")
        return self


class Calibration(Where):
    """Observed against predicted risk, and how many patients of each class have which predicted risk.

    ``predicted`` rises within [0, 1]; ``low`` and ``high`` are the 95 % band of ``observed``, or empty. ``edges`` of
    the histogram are predicted risks too, need not be even, and are one more than ``events`` and ``others`` (patients
    with and without the outcome; null: too few to report); all three may be empty.
    """

    predicted: Numbers
    observed: Numbers
    low: Numbers = ()
    high: Numbers = ()
    edges: Numbers = ()
    events: Counts = ()
    others: Counts = ()
    n: Count | None
    cases: Count | None  # patients with the outcome, all together
    method: str

    @model_validator(mode="after")
    def _even(self) -> "Calibration":
        check_lengths(len(self.predicted), self.observed, self.low, self.high)
        check_lengths(max(len(self.edges) - 1, 0), self.events, self.others)
        if list(self.predicted) != sorted(self.predicted) or not all(0 <= p <= 1 for p in self.predicted):
            raise ValueError("predicted risks rise from 0 to 1")
        return self


class Decision(Where):
    """Net benefit by threshold of risk: of the model, and of treating everybody; treating nobody has none (0)."""

    threshold: Numbers
    benefit: Numbers
    treat_all: Numbers
    low: Numbers = ()  # 95 % band of benefit, or empty
    high: Numbers = ()
    n: Count | None
    events: Count | None
    method: str

    @model_validator(mode="after")
    def _even(self) -> "Decision":
        check_lengths(len(self.threshold), self.benefit, self.treat_all, self.low, self.high)
        if not len(self.threshold) == len(self.benefit) == len(self.treat_all):
            raise ValueError("a decision curve has a benefit at each threshold")
        return self


class RiskGroup(Section):
    """Kaplan-Meier estimate of one group on the grid of its ``Survival``."""

    name: str  # as "low risk"
    survival: Numbers
    low: Numbers = ()
    high: Numbers = ()
    at_risk: Counts  # still under observation at each time of the grid
    events: Counts  # up to each time of the grid
    n: Count | None


class Survival(Where):
    """Survival by risk group of a model on a common grid of times from 0, with the test and the ratio between groups.

    ``hazard_ratio`` is of the last group against the first, per Cox; its and the test's strata stand in ``method``.
    The C-index is a ``Metric`` named ``c_index`` at the same place.
    """

    endpoint: str  # as "overall survival"
    unit: str  # of time, as "months"
    time: Numbers
    groups: tuple[RiskGroup, ...]
    chi2: Number | None = None  # log-rank
    df: Count | None = None
    p: Number | None = None
    hazard_ratio: Number | None = None
    low: Number | None = None
    high: Number | None = None
    n: Count | None
    events: Count | None
    method: str
    reason: str | None = None  # why there is no test or ratio

    @model_validator(mode="after")
    def _even(self) -> "Survival":
        for group in self.groups:
            check_lengths(len(self.time), group.survival, group.low, group.high, group.at_risk, group.events)
        check_estimate(self.hazard_ratio, self.low, self.high, self.reason)
        return self
