"""Every message that crosses a hospital's border, typed; nothing else crosses.

A message is a small typed header and named arrays. Flower carries them as one ConfigRecord and one array of bytes: an
array of Flower's is several objects, asked for and answered one by one. The outbox keeps the same message as bytes.
"""

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy.typing as npt
from flwr.app import Array, ArrayRecord, ConfigRecord, RecordDict
from pydantic import Field, TypeAdapter, model_validator
from safetensors.numpy import load

from shared.cohorts import Role
from shared.portrait import Portrait
from shared.privacy.records import RunKey
from shared.risk_figures import RiskFigures
from shared.score_cells import ClassCells, NoisedCells
from shared.sections import Section
from shared.tensors import saved

Arrays = dict[str, npt.NDArray[Any]]  # float32 weights and updates, float64 tallies
PACKED = "safetensors"  # how they are packed, and the one name in Flower's record of arrays
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


Line = tuple[float, Annotated[float, Field(gt=0)]]  # intercept and slope: log odds to recalibrated ones


class Task(Section):
    """What every question of the server carries: the whole study, the run it is about, and the head it last got."""

    study: str  # the study's canonical text; its digest is checked at the hospital
    run: RunKey
    head: Digest | None = None  # of the hospital's ledger, as its last reply in this run gave it


class Describe(Task):
    """How many patients do you have in each role?"""

    kind: Literal["describe"] = "describe"


class Train(Task):
    """Train from these weights for one round of a stage."""

    kind: Literal["train"] = "train"
    stage: Literal["encoders", "fusion", "joint"]
    round: int = Field(ge=1)


class Boost(Task):
    """Grow one more tree of each learner on top of these boosters, bytes by name."""

    kind: Literal["boost"] = "boost"
    stage: Literal["boost"] = "boost"
    round: int = Field(ge=1)


class Count(Task):
    """What do your training patients say of each column, so that the study's number of them can be chosen?"""

    kind: Literal["count"] = "count"


class SumHazards(Task):
    """Your sums of each Cox regression at these coefficients, (inputs,) by name."""

    kind: Literal["sum-hazards"] = "sum-hazards"
    stage: Literal["cox"] = "cox"
    round: int = Field(ge=1)


class TallyThreshold(Task):
    """Count your training patients' scores by class, so that a threshold can be chosen."""

    kind: Literal["tally-threshold"] = "tally-threshold"


class Evaluate(Task):
    """Validate these frozen models; the digest commits the server to them."""

    kind: Literal["evaluate"] = "evaluate"
    models: Digest
    thresholds: dict[str, float | None]  # by model, on the recalibrated logit
    recalibration: dict[str, Line] = {}  # the models' last step: others stay as they are


class CohortCount(Section):
    """Patients of one role; counts are None where they are too few to report."""

    role: Role
    n: int | None
    events: int | None
    excluded: dict[str, int | None] = {}  # rows of the table by rule, with the first role; None: too few to tell
    reason: str = ""


class Reply(Section):
    """What every answer carries, put on when it is released: the run it is of, and the head of the ledger."""

    run: RunKey | None = None  # of the question: an answer of another run, study or fold is not taken
    head: Digest | None = None  # the hash of the ledger's line that belongs to this answer


class Described(Reply):
    """Answer to Describe."""

    kind: Literal["described"] = "described"
    cohorts: tuple[CohortCount, ...]
    epsilon_limit: float | None
    split: Digest | None = None  # of who is in which cohort, under a secret of the hospital; None: nobody is kept aside


class Trained(Reply):
    """Answer to Train: the update (new minus old weights) of the groups this hospital has data for, as arrays."""

    kind: Literal["trained"] = "trained"
    stage: Literal["encoders", "fusion", "joint"]
    round: int
    epsilon: float | None  # spent in this run so far, None without privacy
    releases: int


class Grown(Reply):
    """Answer to Boost: one tree a learner, each a booster of its own as bytes."""

    kind: Literal["grown"] = "grown"
    stage: Literal["boost"] = "boost"
    round: int


class Counted(Reply):
    """Answer to Count: an array a table, of the shape that its rule of selection asks for."""

    kind: Literal["counted"] = "counted"
    stage: Literal["select"] = "select"


class Summed(Reply):
    """Answer to SumHazards: a Cox regression's likelihood, gradient, information, events and exposure by name."""

    kind: Literal["summed"] = "summed"
    stage: Literal["cox"] = "cox"
    round: int


class Tallied(Reply):
    """Answer to TallyThreshold: one array (2, cells) a model."""

    kind: Literal["tallied"] = "tallied"
    epsilon: float | None
    releases: int


class SiteFigures(Section):
    """One model on one cohort of one hospital; a figure that may not leave or is undefined is None, with a reason.

    ``target`` is the yes-or-no question of an outcome that has several; ``n`` and ``events`` count its units, which
    are ``patients`` patients. ``measures`` are figures of the outcome as a whole.
    """

    model: str
    role: Role
    target: str = ""
    n: int | None
    events: int | None
    patients: int | None = None
    measures: dict[str, float] = {}
    auc: float | None = None
    auc_variance: float | None = None
    brier: float | None = None
    risk: RiskFigures | None = None
    event_cells: ClassCells | None = None
    other_cells: ClassCells | None = None
    noised: NoisedCells | None = None  # where the study gives validation patients a budget: then nothing else is told
    reasons: dict[str, str] = {}  # by figure, or "all"

    @model_validator(mode="after")
    def _of_its_patients(self) -> "SiteFigures":
        n, events = self.n or 0, self.events or 0
        for cells, patients in ((self.event_cells, events), (self.other_cells, n - events)):
            if cells and sum(cells.counts) != patients:
                raise ValueError("a tally must hold the patients of its class, each once")
        if self.risk and self.risk.expected > n:
            raise ValueError("no more events can be expected than there are patients")
        return self


class Evaluated(Reply):
    """Answer to Evaluate."""

    kind: Literal["evaluated"] = "evaluated"
    models: Digest
    figures: tuple[SiteFigures, ...]
    portraits: tuple[Portrait, ...] = ()  # of the cohorts, of which they may be told
    epsilon: float | None = None  # spent by validation patients in this run, None where their figures are exact
    releases: int = 0


class Refused(Section):
    """The hospital declines, with a code and a sentence of ours; never an exception's own text."""

    kind: Literal["refused"] = "refused"
    code: str
    sentence: str


KIND = Field(discriminator="kind")
AnyTask = Annotated[Describe | Count | Train | Boost | SumHazards | TallyThreshold | Evaluate, KIND]
AnyReply = Annotated[Described | Counted | Trained | Grown | Summed | Tallied | Evaluated | Refused, KIND]
AnyHeader = AnyTask | AnyReply
HEADERS: TypeAdapter[AnyHeader] = TypeAdapter(AnyHeader)

MESSAGE_TYPES = {
    "describe": "query.describe",
    "count": "query.count",
    "train": "train",
    "boost": "train.boost",
    "sum-hazards": "train.sum_hazards",
    "tally-threshold": "query.tally_threshold",
    "evaluate": "evaluate",
}


@dataclass(frozen=True)
class Envelope:
    """A header and its arrays."""

    header: AnyHeader
    arrays: Arrays = field(default_factory=dict)

    def to_record(self, packed: ArrayRecord | None = None) -> RecordDict:
        """As Flower carries it; ``packed`` are its arrays, if they are packed already for several messages."""
        arrays = pack(self.arrays) if packed is None else packed
        return RecordDict({"arrays": arrays, "header": ConfigRecord({"json": self.header.model_dump_json()})})

    @classmethod
    def from_record(cls, record: RecordDict) -> "Envelope":
        """From Flower; ValueError if it is not one of our messages, whatever is wrong with it."""
        parts = dict(record.items())  # not by its typed views, which hold on to a record until the next collection
        head, packed = parts.pop("header", None), parts.pop("arrays", None)
        if parts or not isinstance(head, ConfigRecord) or not isinstance(packed, ArrayRecord):
            raise ValueError("a message holds one header and one set of arrays, and nothing else")
        if set(head) != {"json"} or set(packed) != {PACKED}:
            raise ValueError("a message holds one header and one array of bytes, and nothing else")
        try:
            return cls(HEADERS.validate_json(str(head["json"])), load(packed[PACKED].data))
        except Exception:  # of many kinds; none of their texts is ours to pass on
            raise ValueError("the message cannot be read") from None

    def to_bytes(self) -> bytes:
        """As the outbox keeps it; the same envelope gives the same bytes."""
        return saved(self.arrays, {"header": self.header.model_dump_json()})

    @classmethod
    def from_bytes(cls, content: bytes) -> "Envelope":
        """From what ``to_bytes`` made; ValueError if it is not one of our messages, whatever is wrong with it."""
        try:
            arrays = load(content)  # checks lengths and places before anything else is read
            text = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]["header"]
            return cls(HEADERS.validate_json(text), arrays)
        except Exception:  # of many kinds; none of their texts is ours to pass on
            raise ValueError("the message cannot be read") from None

    def of_run(self, run: RunKey) -> "Envelope":
        """The same answer with the run that it is of; a refusal is of none."""
        if not isinstance(self.header, Reply):
            return self
        return Envelope(self.header.model_copy(update={"run": run}), self.arrays)

    def with_head(self, head: str | None) -> "Envelope":
        """The same message with another head of the hospital's ledger; a refusal carries none."""
        if isinstance(self.header, Refused):
            return self
        return Envelope(self.header.model_copy(update={"head": head}), self.arrays)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the bytes without the head: a release's is made from its digest, a question stays the same."""
        return hashlib.sha256(self.with_head(None).to_bytes()).hexdigest()


def pack(arrays: Arrays) -> ArrayRecord:
    """Arrays as Flower carries them: one copy of their bytes, which several messages can share."""
    data = saved(arrays)
    return ArrayRecord({PACKED: Array(dtype="uint8", shape=(len(data),), stype=PACKED, data=data)})
