"""The study file's section on what is validated, at which threshold, and what it is held against."""

from typing import Annotated, Literal

from pydantic import Field

from shared.published import Printed
from shared.sections import Section


class YoudenThreshold(Section):
    """The cut with the highest sensitivity + specificity, from released tallies of training patients."""

    rule: Literal["youden"]
    source: Literal["train"] = Field(alias="from")


class DeclaredThreshold(Section):
    """A probability stated beforehand for a clinical reason."""

    rule: Literal["declared"]
    value: float = Field(gt=0, lt=1)


Probability = Annotated[float, Field(gt=0, lt=1)]


class Compare(Section):
    """The test of the primary model against every other, and how p is adjusted for their number."""

    test: Literal["delong"] = "delong"
    adjust: Literal["holm", "none"] = "holm"


class Evaluation(Section):
    """What is validated and what it is held against.

    ``decision_range`` are the thresholds of risk that matter clinically; ``non_inferiority`` is the loss of AUC that
    a verdict against another arm must rule out; ``published`` are a paper's figures by "metric.cohort", of another
    model than the primary by "metric.cohort.model", each a number or [estimate, low, high]; ``published_patients`` are
    its patients and events by cohort.
    """

    threshold: Annotated[YoudenThreshold | DeclaredThreshold, Field(discriminator="rule")] | None = None
    primary: str
    compare: Compare = Compare()
    decision_range: tuple[Probability, Probability] | None = None
    non_inferiority: float | None = Field(default=None, gt=0, lt=0.5)
    published: dict[str, Printed] = {}
    published_patients: dict[str, tuple[int, int]] = {}
