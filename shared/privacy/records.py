"""A line of a hospital's privacy ledger: one release, what it costs, and the digest of what was released."""

from collections.abc import Iterable

from pydantic import Field

from shared.privacy.accounting import Release, spent_epsilon
from shared.privacy.mechanism import Stage
from shared.sections import Section


class RunKey(Section):
    """One run: a fold of an arm of a study; epsilon is per run."""

    study: str = Field(pattern=r"^[0-9a-f]{64}$")  # the study's digest
    fold: str
    arm: str

    @property
    def name(self) -> str:
        """A name for files and tables."""
        return f"{self.study[:12]}.{self.fold}.{self.arm.replace(':', '-')}"


class Spend(Section):
    """``steps`` Gaussian releases at ``noise_multiplier``, made in one round of a stage.

    Each is of all patients, or of a sample of them at ``sample_rate``; lines of before there was sampling lack it.
    """

    time: str
    study_name: str
    run: RunKey
    stage: Stage
    round: int = Field(ge=0)
    noise_multiplier: float = Field(gt=0)
    steps: int = Field(ge=1)
    sample_rate: float = Field(default=1.0, gt=0, le=1)
    delta: float = Field(gt=0, lt=1)
    budget: float = Field(gt=0)  # of the run, in epsilon at this delta
    digest: str  # of the released bytes, as they lie in the outbox
    question: str  # digest of the task that was answered: another question for the same round is refused

    @property
    def validates(self) -> bool:
        """Whether it is of patients who validate, and not of those who train."""
        return self.stage == "validation"

    @property
    def release(self) -> Release:
        """As accountants know it."""
        return Release(self.noise_multiplier, self.steps, self.sample_rate)


def spent(spends: Iterable[Spend], delta: float) -> float:
    """Epsilon at ``delta`` of the given releases together."""
    return spent_epsilon([spend.release for spend in spends], delta)
