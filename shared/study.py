"""The study file as types: everything that changes the science, and nothing else may."""

import hashlib
from collections.abc import Collection
from itertools import combinations
from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.endpoint import Endpoint
from shared.evaluation_section import Evaluation, YoudenThreshold
from shared.learners import ArmName, Boosted, Comparator, Cox
from shared.modalities import Modality
from shared.nomogram import Nomogram
from shared.outcomes import Outcome
from shared.outcomes.loss_choice import CrossEntropy, LossChoice
from shared.published import Source
from shared.reader_table import ReaderTable
from shared.schemes import Scheme
from shared.sections import Name, Positive, Section, Share
from shared.simulated import Simulation


class Unit(Section):
    """What a row of ``patients.csv`` is; privacy, splits and minimums go by patient, whatever the rows are."""

    patient: str = "patient_id"
    row: str = ""  # column that names a row, where a patient may have several: a lesion, a record, a stay
    time: str = ""  # column with the hour of the prediction, on the clock of the long tables
    max_missing: float | None = Field(default=None, ge=0, lt=1)  # share of a row's tabular cells; above it is left out


class FusionChoice(Section):
    """How embeddings become one score; ``clip_share`` is the primary model's part of the shared clip (its square)."""

    kind: Literal[
        "concat",
        "mlp",
        "mean",
        "gated",
        "self-attention",
        "cross-attention",
        "multiscale",
        "kernel",
        "late",
        "late-mean",
        "cooperative",
    ] = "concat"
    combinations: Literal["all", "primary"] = "all"
    masked: bool = False  # one fusion for all combinations, what a model does not use masked, instead of one for each
    clip_share: Share = 0.5


class SiteEntry(Section):
    """A hospital's declared, public size; weights and denominators come from here, never from a private count.

    ``training`` is how many of the patients train, where a column of the table says which or when.
    """

    patients: int = Field(ge=1)
    training: int | None = Field(default=None, ge=1)
    lacks: tuple[str, ...] = ()


class Arms(Section):
    """Which models are trained: each hospital alone, federated, and (in simulations only) pooled."""

    run: tuple[ArmName, ...] = Field(default=("federated",), min_length=1)


PICKS_ONE = ("median", "krum")  # strategies that publish values of single hospitals


class Training(Section):
    """Gradient descent: ``steps`` a round at each hospital, ``rounds`` rounds in each stage.

    A step reads all patients; or each with probability ``sample_rate`` (the same everywhere, public); or, without
    privacy, the next ``batch`` of them in shuffled order. ``proximal`` is FedProx' mu. ``recalibrate`` sets the frozen
    models' log odds right afterwards, by the same tallies of training patients that a Youden threshold is chosen from.
    """

    schedule: Literal["staged", "joint"] = "staged"
    share: tuple[Literal["encoders", "fusion"], ...] = ("encoders", "fusion")
    share_alone: bool = False
    strategy: Literal["fedavg", "median", "trimmed-mean", "krum"] = "fedavg"
    rounds: int = Field(default=10, ge=1, le=10_000)
    steps: int = Field(default=3, ge=1, le=10_000)
    learning_rate: Positive = 0.5
    momentum: float = Field(default=0.9, ge=0, lt=1)
    weight_decay: float = Field(default=0.0, ge=0)
    proximal: float = Field(default=0.0, ge=0)
    sampling: Literal["full", "poisson", "shuffled"] = "full"
    sample_rate: float | None = Field(default=None, gt=0, lt=1)
    batch: int | None = Field(default=None, ge=1)
    average: Literal["last-half", "none"] = "last-half"
    loss: LossChoice = CrossEntropy()
    resample: Literal["none", "smote", "smote-nc", "cluster-centroids", "smote-nc-centroids"] = "none"
    recalibrate: Literal["none", "intercept", "intercept-slope"] = "none"
    min_contributors: int = Field(default=2, ge=1)

    @property
    def rate(self) -> float:
        """How likely a step reads a patient, for the accountants; one where it reads all of them."""
        return self.sample_rate if self.sample_rate is not None else 1.0


class NoPrivacy(Section):
    """No protection, written out; the report says so in its first line."""

    mechanism: Literal["none"]


class Stages(Section):
    """Each stage's share of the squared privacy budget mu^2 of the whole run; they add up to one."""

    encoders: float = Field(gt=0, lt=1)
    fusion: float = Field(ge=0, lt=1)
    threshold: float = Field(ge=0, lt=1)

    @model_validator(mode="after")
    def _whole(self) -> "Stages":
        total = self.encoders + self.fusion + self.threshold
        if not abs(total - 1) < 1e-9:
            raise ValueError(f"the shares must add up to 1, got {total:.6g}")
        return self

    def share(self, stage: str) -> float:
        """A stage's share; encoders and fusions that are trained jointly have that of the encoders."""
        shares = {"fusion": self.fusion, "threshold": self.threshold}
        return shares.get(stage, self.encoders)


class ValidationNoise(Section):
    """What a validation patient may spend in a run: all models are told of as noised tallies, and nothing exact is."""

    epsilon: float = Field(gt=0, le=100)
    delta: float = Field(gt=0, lt=0.1)


class DpSgd(Section):
    """Patient-level (epsilon, delta) for each hospital and run (one fold of one arm), zero-out adjacency.

    It is of the patients who train; those who validate have none, unless ``validation`` gives them one.
    """

    mechanism: Literal["dp-sgd"]
    epsilon: float = Field(gt=0, le=100)
    delta: float = Field(gt=0, lt=0.1)
    clip: Positive = 1.0
    clip_by: Literal["all", "modality"] = "all"  # one clip for all encoders, or equal parts of its square
    stages: Stages
    validation: ValidationNoise | None = None


Privacy = Annotated[NoPrivacy | DpSgd, Field(discriminator="mechanism")]


class Study(Section):
    """A study; see the README for every key. Built by ``shared.study_file``."""

    name: Name
    title: str
    seed: int = Field(ge=0, lt=2**63)
    source: Source = Source()
    unit: Unit = Unit()
    outcome: Outcome
    survival: Endpoint | None = None
    modalities: dict[Name, Modality] = Field(min_length=1)
    fusion: FusionChoice = FusionChoice()
    sites: dict[Name, SiteEntry] = Field(min_length=1)
    cohorts: Scheme
    arms: Arms = Arms()
    training: Training = Training()
    privacy: Privacy
    evaluation: Evaluation
    boosted: dict[Name, Boosted] = {}
    cox: dict[Name, Cox] = {}
    comparators: dict[Name, Comparator] = {}
    nomograms: dict[Name, Nomogram] = {}
    readers: dict[Name, ReaderTable] = {}
    simulation: Simulation | None = None
    overrides: tuple[str, ...] = ()

    @property
    def models(self) -> tuple[str, ...]:
        """Every model: modalities joined by "+" in the order of the file, singles first."""
        names = list(self.modalities)
        if self.fusion.combinations == "primary":
            return (*names, *([self.primary] if "+" in self.primary else []))
        return tuple("+".join(subset) for size in range(1, len(names) + 1) for subset in combinations(names, size))

    @property
    def compared(self) -> tuple[str, ...]:
        """Everything that is validated: the models, boosted trees, Cox regressions, comparators, fixed nomograms."""
        return (*self.models, *self.boosted, *self.cox, *self.comparators, *self.nomograms)

    @property
    def fusions(self) -> tuple[str, ...]:
        """Fusions that are trained: one for each model of several modalities, or the one that serves them all."""
        several = tuple(model for model in self.models if "+" in model)
        return several[-1:] if self.fusion.masked else several

    def groups(self, stage: str, held: Collection[str]) -> frozenset[str]:
        """Parameter groups that a hospital with these modalities trains in a stage.

        A fusion needs all of its modalities; the masked one two of them, as it learns from every combination.
        """
        fewest = 2 if self.fusion.masked else len(self.modalities)
        parts = {name: set(name.split("+")) for name in self.fusions}
        fused = {name for name, own in parts.items() if len(own & set(held)) >= min(len(own), fewest)}
        return frozenset({*(fused if stage != "encoders" else ()), *(held if stage != "fusion" else ())})

    @property
    def primary(self) -> str:
        """The model that the study's main figure is about."""
        return self.evaluation.primary

    @property
    def private(self) -> bool:
        """Whether training is under differential privacy."""
        return isinstance(self.privacy, DpSgd)

    @property
    def validation_noise(self) -> ValidationNoise | None:
        """What validation patients may spend; None where their figures are exact."""
        return self.privacy.validation if isinstance(self.privacy, DpSgd) else None

    @property
    def tallied(self) -> bool:
        """Whether training patients' scores are tallied: for a threshold, for recalibration, or once for both."""
        return isinstance(self.evaluation.threshold, YoudenThreshold) or self.training.recalibrate != "none"

    @property
    def text(self) -> str:
        """The study as canonical JSON: what travels, and what the digest covers."""
        return self.model_dump_json(by_alias=True)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical text; overrides are part of it."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def without_privacy(self) -> "Study":
        """The same study with its mechanism written out as "none": another study, with another digest.

        What only noise protects, the values of a single hospital that a robust strategy picks, is then open as well.
        """
        picks_one = self.training.strategy in PICKS_ONE
        training = self.training.model_copy(update={"share_alone": True}) if picks_one else self.training
        return self.model_copy(update={"privacy": NoPrivacy(mechanism="none"), "training": training})
