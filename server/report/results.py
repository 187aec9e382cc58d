"""The results of a run as types: what ``results.json`` holds, and all that the report is made from."""

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from shared.errors import FileError, Problem
from shared.sections import Name, Section, read_section

FILE = "results.json"
MAIN = "main"  # the only fold of a site-holdout; in leave-one-site-out a fold bears its left-out hospital's name


def _rounded(value: float) -> float:
    return float(f"{value:.12g}") + 0.0  # 0.0 turns -0.0 into 0.0


Number = Annotated[float, AfterValidator(_rounded)]  # 12 significant digits: noise in the last bits is no result
Count = Annotated[int, Field(ge=0)]
CohortName = Literal["train", "internal", "external"]
Arm = Annotated[str, Field(pattern=r"^(federated|pooled|alone:[A-Za-z0-9][A-Za-z0-9_-]*)$")]
Model = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_+-]*$")]  # modalities joined by "+"


def _check(estimate: float | None, low: float | None, high: float | None, reason: str | None) -> None:
    if estimate is None and not (reason and low is None and high is None):
        raise ValueError("an undefined figure has a reason and no interval")
    if (low is None) != (high is None) or (low is not None and high is not None and low > high):
        raise ValueError("an interval has both ends, the lower one first")


class StudyRecord(Section):
    """Which study was run; ``primary`` is the model that the main result is about."""

    name: Name
    title: str
    digest: str
    primary: Model
    outcome: str = ""  # a phrase for readers, as "stage III or IV against I or II, predicted before surgery"
    overrides: tuple[str, ...] = ()


class Spent(Section):
    """What one run (a fold of an arm) spent at a hospital; no epsilon where nothing protects the patients."""

    site: Name
    arm: Arm
    fold: Name = MAIN
    epsilon: Number | None
    delta: Number | None
    budget: Number | None
    releases: Count


class Composed(Section):
    """All runs at a hospital together, had each been released for real."""

    site: Name
    epsilon: Number
    delta: Number
    runs: Count


class PrivacyRecord(Section):
    """The mechanism and what it spent."""

    mechanism: Literal["none", "dp-sgd"]
    sites: tuple[Spent, ...] = ()
    composed: tuple[Composed, ...] = ()

    @model_validator(mode="after")
    def _told(self) -> "PrivacyRecord":
        charged = any(row.epsilon is not None and row.delta is not None for row in self.sites)
        if charged != (self.mechanism == "dp-sgd"):
            raise ValueError("dp-sgd has an epsilon and a delta at some hospital, none has them nowhere")
        return self


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


class Metric(Section):
    """One figure of one model; ``site`` is null for a figure pooled over hospitals, ``estimate`` where undefined."""

    model: Model
    arm: Arm
    private: bool
    fold: Name = MAIN
    cohort: CohortName
    site: Name | None
    metric: str
    estimate: Number | None
    low: Number | None = None
    high: Number | None = None
    n: Count | None
    events: Count | None
    method: str | None = None
    reason: str | None = None

    @model_validator(mode="after")
    def _sound(self) -> "Metric":
        _check(self.estimate, self.low, self.high, self.reason)
        return self


class Comparison(Section):
    """``model_a`` minus ``model_b`` on the same patients."""

    cohort: CohortName
    model_a: Model
    model_b: Model
    metric: str
    difference: Number
    low: Number | None
    high: Number | None
    p: Number | None
    p_adjusted: Number | None


class CrossSite(Section):
    """The primary model trained in one place (a hospital's name, "federated", "pooled"), evaluated at a hospital."""

    arm: Literal["alone", "federated", "pooled"]
    private: bool
    trained_at: Name
    site: Name
    metric: str
    estimate: Number | None
    low: Number | None = None
    high: Number | None = None
    n: Count | None
    reason: str | None = None

    @model_validator(mode="after")
    def _sound(self) -> "CrossSite":
        _check(self.estimate, self.low, self.high, self.reason)
        return self


class Meta(Section):
    """Random-effects summary of ``k`` hospitals' figures, with the prediction interval for another hospital."""

    metric: str
    model: Model
    arm: Arm
    private: bool
    cohort: CohortName
    k: Count
    estimate: Number | None
    low: Number | None = None
    high: Number | None = None
    tau2: Number | None = None
    i2: Number | None = None
    prediction_low: Number | None = None
    prediction_high: Number | None = None
    reason: str | None = None

    @model_validator(mode="after")
    def _sound(self) -> "Meta":
        _check(self.estimate, self.low, self.high, self.reason)
        return self


class Oracle(Section):
    """What the truth that invented the patients reaches on average: the most that a model can be expected to reach."""

    model: Model
    fold: Name = MAIN
    cohort: CohortName
    metric: str
    estimate: Number


class Published(Section):
    """A figure that a paper printed; nothing here computed it."""

    metric: str
    cohort: CohortName
    estimate: Number
    low: Number | None
    high: Number | None


class Curve(Section):
    """Points of a curve from released tallies; for a ROC ``x`` is the false, ``y`` the true positive rate."""

    kind: Literal["roc"]
    model: Model
    arm: Arm
    private: bool
    fold: Name = MAIN
    cohort: CohortName
    site: Name | None
    x: tuple[Number, ...]
    y: tuple[Number, ...]
    bins: Count

    @model_validator(mode="after")
    def _paired(self) -> "Curve":
        if len(self.x) != len(self.y):
            raise ValueError("a curve has as many x as y")
        return self


class Timing(Section):
    """Wall-clock seconds: the only part that may differ between two runs of the same study."""

    seconds_total: Number
    phases: dict[str, Number] = Field(default_factory=dict)


class Results(Section):
    """Everything that a run found out, free of any patient's value."""

    schema_: Literal["medley-results/1"] = Field(default="medley-results/1", alias="schema")
    study: StudyRecord
    engine: str
    seed: int
    privacy: PrivacyRecord
    cohorts: tuple[CohortRecord, ...]
    metrics: tuple[Metric, ...]
    comparisons: tuple[Comparison, ...] = ()
    cross_site: tuple[CrossSite, ...] = ()
    meta: tuple[Meta, ...] = ()
    oracle: tuple[Oracle, ...] = ()
    published: tuple[Published, ...] = ()
    curves: tuple[Curve, ...] = ()
    warnings: tuple[str, ...] = ()
    timing: Timing
    environment: dict[str, str]

    def write(self, folder: Path) -> None:
        """Write ``results.json``: the same results give the same bytes."""
        values = self.model_dump(mode="json", by_alias=True)
        text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        (folder / FILE).write_text(text, encoding="utf-8", newline="\n")

    @classmethod
    def read(cls, folder: Path) -> "Results":
        """Read and validate ``results.json``; raises FileError with every problem found in it."""
        try:
            values = json.loads((folder / FILE).read_text(encoding="utf-8"))
        except ValueError as error:
            raise FileError([Problem(FILE, "", "is not JSON")]) from error
        results, problems = read_section(cls, values, FILE)
        if results is None:
            raise FileError(problems)
        return results
