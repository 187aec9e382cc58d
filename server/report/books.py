"""What was spent, when, and what was sealed, as types: privacy, rounds, releases, commitments."""

from typing import Literal

from pydantic import model_validator

from server.report.fields import MAIN, Arm, Count, Number
from shared.sections import Name, Section


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
    validation: tuple[Spent, ...] = ()  # of the patients who validate; none where their figures are exact
    composed: tuple[Composed, ...] = ()
    folds: str = ""  # what all folds of one arm cost together, in words

    @model_validator(mode="after")
    def _told(self) -> "PrivacyRecord":
        charged = any(row.epsilon is not None and row.delta is not None for row in self.sites)
        if charged != (self.mechanism == "dp-sgd"):
            raise ValueError("dp-sgd has an epsilon and a delta at some hospital, none has them nowhere")
        return self


class Release(Section):
    """A private release of a hospital, in order of arrival; ``epsilon`` is the run's up to and with this one."""

    arm: Arm
    fold: Name = MAIN
    site: Name
    stage: str
    round: Count
    releases: Count
    epsilon: Number


class Round(Section):
    """A round of a run: who answered, and how long it took."""

    arm: Arm
    private: bool
    fold: Name = MAIN
    stage: str
    round: Count
    answered: tuple[Name, ...]
    seconds: Number


class Seal(Section):
    """A hospital's commitment: the frozen models and thresholds that it answered for, once, on its sealed cohort."""

    arm: Arm
    private: bool
    fold: Name = MAIN
    site: Name
    models: str  # digest of the frozen weights
    thresholds: str = ""  # digest
