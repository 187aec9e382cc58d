"""The results of a run as types: what ``results.json`` holds, and all that the report is made from."""

import json
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from server.report.books import PrivacyRecord, Release, Round, Seal
from server.report.curves import Calibration, Curve, Decision, Survival
from server.report.fields import MAIN, Arm, CohortName, Count, Model, Number, Where, check_estimate
from server.report.participants import Characteristic, CohortRecord, Pattern
from shared.errors import FileError, Problem
from shared.sections import Name, Section, read_section

FILE = "results.json"


class StudyRecord(Section):
    """Which study was run; ``primary`` is the model that the main result is about."""

    name: Name
    title: str
    digest: str
    primary: Model
    outcome: str = ""  # a phrase for readers, as "stage III or IV against I or II, predicted before surgery"
    overrides: tuple[str, ...] = ()
    inferred: tuple[str, ...] = ()  # what the source does not tell and the study file assumes
    measure: str = "auc"  # the metric that the main result is told in
    scheme: str = ""  # of the cohorts, as "site-holdout"
    row: str = ""  # what figures count, where a patient can have several: a lesion, a record, a moment
    fixed: tuple[Name, ...] = ()  # published formulas among the models, which nobody trains
    divided: str = ""  # in words: who of a training hospital's patients was kept aside, and by what rule
    decision_range: tuple[Number, Number] | None = None  # thresholds of risk that are declared to matter clinically


class Metric(Where):
    """One figure of one model; ``estimate`` is null where undefined."""

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
        check_estimate(self.estimate, self.low, self.high, self.reason)
        return self


class Comparison(Section):
    """A minus B on the same patients: two models of an arm, or a model under two arms.

    ``kind``: another model, federated against pooled, against a hospital alone, or with privacy against without.
    ``p_adjusted`` is Holm's over the models. With a ``margin`` A is not inferior where ``low`` lies above minus it.
    """

    kind: Literal["models", "pooled", "alone", "privacy"] = "models"
    fold: Name = MAIN
    cohort: CohortName
    site: Name | None = None  # null: the cohort of all hospitals
    model_a: Model
    arm_a: Arm
    private_a: bool
    model_b: Model
    arm_b: Arm
    private_b: bool
    metric: str
    difference: Number | None
    low: Number | None = None
    high: Number | None = None
    p: Number | None = None
    p_adjusted: Number | None = None
    margin: Number | None = None
    non_inferior: bool | None = None
    n: Count | None = None
    events: Count | None = None
    method: str | None = None
    reason: str | None = None

    @model_validator(mode="after")
    def _sound(self) -> "Comparison":
        check_estimate(self.difference, self.low, self.high, self.reason)
        return self


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
        check_estimate(self.estimate, self.low, self.high, self.reason)
        return self


class Meta(Section):
    """Random-effects summary of ``k`` hospitals' figures, with the prediction interval for another hospital."""

    metric: str
    model: Model
    arm: Arm
    private: bool
    fold: Name = MAIN
    cohort: CohortName
    k: Count
    estimate: Number | None
    low: Number | None = None
    high: Number | None = None
    tau2: Number | None = None
    tau2_low: Number | None = None
    tau2_high: Number | None = None
    i2: Number | None = None
    prediction_low: Number | None = None
    prediction_high: Number | None = None
    prediction_note: str = ""
    scale: str = ""  # logit, log or none
    sites: tuple[Name, ...] = ()
    weights: tuple[Number, ...] = ()  # of the sites, in their order; they add to 1
    method: str | None = None
    reason: str | None = None

    @model_validator(mode="after")
    def _sound(self) -> "Meta":
        check_estimate(self.estimate, self.low, self.high, self.reason)
        return self


class Oracle(Section):
    """What the truth that invented the patients reaches on average: the most that a model can be expected to reach."""

    model: Model
    fold: Name = MAIN
    cohort: CohortName
    metric: str
    estimate: Number


class Published(Section):
    """A figure that a paper printed, of its model (null: that of the study's primary); nothing here computed it."""

    metric: str
    cohort: CohortName
    model: Model | None = None
    estimate: Number
    low: Number | None
    high: Number | None
    checked: bool = False  # held against all tables of the cohort's patients, together with its neighbours
    flag: str = ""  # a sentence where the printed figures cannot all be true


class PatternFigure(Where):
    """A figure of a model on the patients who have exactly these modalities, or with the others taken away."""

    present: Model
    removed: bool  # whether the others were taken away from all patients, instead of choosing who lacks them
    metric: str
    estimate: Number | None
    low: Number | None = None
    high: Number | None = None
    n: Count | None
    events: Count | None
    reason: str | None = None


class Reader(Section):
    """A figure of a reader or of a fixed score: sensitivity, specificity, accuracy, kappa (against the outcome), or
    kappa_model (against the primary model); ``p`` is McNemar's against the primary model at its threshold.
    """

    reader: str  # as "radiologist 1" or "nomogram"
    fold: Name = MAIN
    cohort: CohortName
    site: Name | None
    metric: str
    estimate: Number | None
    low: Number | None = None
    high: Number | None = None
    n: Count | None
    events: Count | None
    p: Number | None = None
    note: str = ""  # where the figure comes from, and what is odd about it
    reason: str | None = None


class SampleSize(Section):
    """What a criterion asks of a cohort for an interval of a wanted width, and what the cohort has."""

    model: Model
    fold: Name = MAIN
    cohort: CohortName
    criterion: Literal["c", "oe", "slope"]
    target: str  # in words, as "95 % interval of the AUC 0.1 wide"
    required: Count | None  # patients
    achieved_n: Count | None
    achieved_width: Number | None
    reason: str | None = None


class Timing(Section):
    """Seconds, moments and secrets: the only part that may differ between two runs of the same study."""

    seconds_total: Number
    phases: dict[str, Number] = Field(default_factory=dict)
    rounds: tuple[Round, ...] = ()
    frozen: dict[str, str] = Field(default_factory=dict)  # when each model was committed, UTC, by digest of its weights
    splits: dict[str, str] = Field(
        default_factory=dict
    )  # each hospital's commitment to its split, under its own secret


class Results(Section):
    """Everything that a run found out, free of any patient's value."""

    schema_: Literal["medley-results/1"] = Field(default="medley-results/1", alias="schema")
    study: StudyRecord
    engine: str
    seed: int
    privacy: PrivacyRecord
    cohorts: tuple[CohortRecord, ...]
    characteristics: tuple[Characteristic, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    metrics: tuple[Metric, ...]
    comparisons: tuple[Comparison, ...] = ()
    cross_site: tuple[CrossSite, ...] = ()
    meta: tuple[Meta, ...] = ()
    pattern_figures: tuple[PatternFigure, ...] = ()
    readers: tuple[Reader, ...] = ()
    sample_size: tuple[SampleSize, ...] = ()
    oracle: tuple[Oracle, ...] = ()
    published: tuple[Published, ...] = ()
    curves: tuple[Curve, ...] = ()
    calibration: tuple[Calibration, ...] = ()
    decisions: tuple[Decision, ...] = ()
    survival: tuple[Survival, ...] = ()
    seals: tuple[Seal, ...] = ()
    releases: tuple[Release, ...] = ()
    warnings: tuple[str, ...] = ()
    timing: Timing
    environment: dict[str, str]

    def write(self, folder: Path) -> None:
        """Write ``results.json``, a row on a line and without its defaults: the same results, the same bytes."""
        values = self.model_dump(mode="json", by_alias=True)
        short = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        parts = {name: short.get(name, []) if isinstance(value, list) else value for name, value in values.items()}
        text = "{\n" + ",\n".join(f'  "{name}": {_text(value)}' for name, value in parts.items()) + "\n}\n"
        (folder / FILE).write_text(text, encoding="utf-8", newline="\n")

    @classmethod
    def read(cls, folder: Path) -> "Results":
        """Read and validate ``results.json``; raises FileError with every problem found in it."""
        try:
            values = json.loads((folder / FILE).read_text(encoding="utf-8"))
        except OSError:
            remedy = "name a run's folder, as results/STUDY-TIME"
            raise FileError([Problem(folder.name, "", f"no {FILE} in it can be read", remedy)]) from None
        except ValueError as error:
            raise FileError([Problem(FILE, "", "is not JSON")]) from error
        results, problems = read_section(cls, values, FILE)
        if results is None:
            raise FileError(problems)
        return results


def _text(value: object) -> str:
    """A list with each of its rows on a line, anything else as is usual, inside an object."""
    if isinstance(value, list):
        rows = ",\n".join(
            "    " + json.dumps(row, ensure_ascii=False, allow_nan=False, separators=(",", ":")) for row in value
        )
        return f"[\n{rows}\n  ]" if value else "[]"
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False).replace("\n", "\n  ")
