"""What a hospital tells of a cohort's patients, typed: Table 1, modalities present, survival by risk group.

Under differential privacy nothing of this is told of training patients, as no part of the budget pays for it. Where
hospitals are left out in turn it is told of the left-out hospital's cohort only: an internal one is a part of it, and
their difference would show the rest.
"""

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from shared.cohorts import Role
from shared.risk_figures import Rounded, Variance
from shared.sections import Section


def _three_digits(value: float) -> float:
    if float(f"{value:.3g}") != value:
        raise ValueError("a mean is told to three digits")
    return value


Digits = Annotated[float, AfterValidator(_three_digits)]
Count = Annotated[int, Field(ge=0)]


class Area(Section):
    """The primary model's AUC on some patients of the cohort; ``n`` and ``events`` count units."""

    n: Count
    events: Count
    auc: Rounded
    variance: Variance


class PatternCount(Section):
    """Patients who have exactly these modalities; ``present`` None: of all patterns that are too small, together."""

    present: tuple[str, ...] | None
    n: Count
    area: Area | None = None


class Removed(Section):
    """The primary model's AUC on the whole cohort with one modality taken away from everybody."""

    modality: str
    auc: Rounded
    variance: Variance


class NumberColumn(Section):
    """A number of a table: mean and standard deviation of those who have it, and who have not (None: too few)."""

    modality: str
    column: str
    mean: Digits
    deviation: Annotated[Digits, Field(ge=0)]
    missing: Count | None


class CategoryColumn(Section):
    """Patients by the words of a table's column, in the study's order, and without any; None is too few to tell."""

    modality: str
    column: str
    counts: tuple[Count | None, ...]
    missing: Count | None

    @property
    def cells(self) -> tuple[int | None, ...]:
        """Every cell: they add up to the cohort."""
        return (*self.counts, self.missing)


class TimeCells(Section):
    """Patients between places in the study's grid of times: 0, then each cut, then the end of all observation.

    Intervals in which the count would be small are merged.
    """

    edges: tuple[int, ...] = Field(min_length=2)
    counts: tuple[Count, ...]

    @model_validator(mode="after")
    def _even(self) -> "TimeCells":
        rising = self.edges[0] == 0 and list(self.edges) == sorted(set(self.edges))
        if not rising or len(self.counts) != len(self.edges) - 1:
            raise ValueError("edges rise from 0, with a count between any two")
        return self

    @property
    def total(self) -> int:
        """Patients in all."""
        return sum(self.counts)


class Prognosis(Section):
    """The second endpoint by risk group, low and high, of the primary model at its frozen threshold.

    Each row is merged for itself: no patient stands in two. Log-rank and C are of the time up to the last cut.
    """

    events: tuple[TimeCells, TimeCells]
    others: tuple[TimeCells, TimeCells]  # censored in the cell; in the last one also who was observed to its end
    expected: Annotated[Variance, Field(ge=0)]  # events of the high group, were there no difference
    variance: Variance
    c_index: Rounded
    c_error: Rounded

    @property
    def rows(self) -> tuple[TimeCells, ...]:
        """Events of the low and of the high group, then the others of each."""
        return (*self.events, *self.others)

    @property
    def sizes(self) -> tuple[int, int]:
        """Patients of the low and of the high group."""
        low, high = (events.total + others.total for events, others in zip(self.events, self.others, strict=True))
        return low, high

    @property
    def had_event(self) -> int:
        """Patients of both groups who had the event."""
        return sum(row.total for row in self.events)


class Portrait(Section):
    """A cohort of one hospital; empty where its patients are too few, or where a part is told of nobody."""

    role: Role
    patients: Count | None  # None: too few to tell anything
    patterns: tuple[PatternCount, ...] = ()
    removed: tuple[Removed, ...] = ()
    numbers: tuple[NumberColumn, ...] = ()
    categories: tuple[CategoryColumn, ...] = ()
    withheld: tuple[str, ...] = ()  # columns of which nothing may be told
    prognosis: Prognosis | None = None
    prognosis_reason: str = ""
