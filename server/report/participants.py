"""Who took part, as types: counts by hospital and cohort, Table 1, and which modalities patients have."""

from typing import Literal

from pydantic import Field, model_validator

from server.report.fields import MAIN, CohortName, Count, Model, Number, check_estimate
from shared.sections import Name, Section

UNKNOWN = "who lacks it is not known"  # of a number that is read without missing indicators


class CohortRecord(Section):
    """Patients of one hospital in one cohort, and how many each rule excluded (null: too few to report)."""

    name: CohortName
    site: Name
    role: str
    fold: Name = MAIN
    n: Count | None
    events: Count | None
    excluded: dict[str, Count | None] = Field(default_factory=dict)
    reason: str | None = None

    @model_validator(mode="after")
    def _explained(self) -> "CohortRecord":
        if (self.n is None or self.events is None) and not self.reason:
            raise ValueError("a count that is not reported has a reason")
        return self


class Characteristic(Section):
    """A line of Table 1 at one hospital and cohort: a number's mean or median, or the patients of one category.

    ``site`` null is the cohort of all hospitals. ``estimate`` is the mean, the median or the count; ``spread`` the
    standard deviation of a mean; ``low`` and ``high`` the quartiles of a median; ``share`` a count's part of those
    who are known, in [0, 1]. ``smd`` is the standardized mean difference from the training cohort of all hospitals;
    of a category it is the whole variable's and stands on its first level.
    """

    fold: Name = MAIN
    cohort: CohortName
    site: Name | None
    variable: str
    level: str | None = None  # of a categorical variable
    unit: str = ""
    form: Literal["mean", "median", "count"]
    estimate: Number | None
    spread: Number | None = None
    low: Number | None = None
    high: Number | None = None
    share: Number | None = None
    missing: Count | None = None  # patients of whom the variable is not known; null: not told
    smd: Number | None = None
    reason: str | None = None

    @model_validator(mode="after")
    def _sound(self) -> "Characteristic":
        check_estimate(self.estimate, self.low, self.high, self.reason)
        return self


class Pattern(Section):
    """Patients of a hospital and cohort who have exactly these modalities (joined by "+"; null: none of them)."""

    fold: Name = MAIN
    cohort: CohortName
    site: Name | None
    present: Model | None
    other: bool = False  # instead: all patterns that are too small each, together
    n: Count | None
    events: Count | None = None
    reason: str | None = None

    @model_validator(mode="after")
    def _explained(self) -> "Pattern":
        if self.n is None and not self.reason:
            raise ValueError("a count that is not reported has a reason")
        return self
