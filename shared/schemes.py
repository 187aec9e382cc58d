"""How patients are divided into those who train, those who are kept aside, and the hospitals that only evaluate."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.sections import Name, Section


class SiteHoldout(Section):
    """Some hospitals train (and may keep an internal part aside), others only evaluate."""

    scheme: Literal["site-holdout"]
    train: tuple[Name, ...] = Field(min_length=1)
    internal: float = Field(default=0.0, ge=0, lt=1)
    external: tuple[Name, ...] = ()

    @property
    def told(self) -> str:
        """How patients were divided, in words."""
        return _aside(self.internal)


class LeaveOneSiteOut(Section):
    """Each hospital in turn is external to a model trained at all others."""

    scheme: Literal["leave-one-site-out"]
    internal: float = Field(default=0.0, ge=0, lt=1)

    @property
    def external(self) -> tuple[str, ...]:
        """Hospitals that only evaluate: each in turn, and so none in all folds."""
        return ()

    @property
    def told(self) -> str:
        """How patients were divided, in words."""
        return _aside(self.internal)


class ColumnSplit(Section):
    """Every hospital trains; a column of its table says who trains and who is kept aside, by these values."""

    scheme: Literal["column"]
    column: str
    train: tuple[str, ...] = Field(min_length=1)
    internal: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _apart(self) -> "ColumnSplit":
        if both := set(self.train) & set(self.internal):
            raise ValueError(f"a value is train or internal, not both: {', '.join(sorted(both))}")
        return self

    @property
    def external(self) -> tuple[str, ...]:
        """Hospitals that only evaluate: none."""
        return ()

    @property
    def told(self) -> str:
        """How patients were divided, in words."""
        return f"Column {self.column} of each hospital's table says who trains and who is internal."


class PooledSplit(Section):
    """The patients of all hospitals but those of ``test`` are divided as one pool: each is as likely to be internal."""

    scheme: Literal["pooled-split"]
    internal: float = Field(gt=0, lt=1)
    test: tuple[Name, ...] = ()

    @property
    def external(self) -> tuple[str, ...]:
        """Hospitals that only evaluate."""
        return self.test

    @property
    def told(self) -> str:
        """How patients were divided, in words."""
        return (
            f"The training hospitals' patients are divided as one pool: {self.internal:.0%} of them are internal, by a "
            "keyed hash within outcome class; a hospital's own share is this one but for rounding."
        )


class KFold(Section):
    """Patients of every training hospital are dealt into ``folds`` parts, each in turn kept aside from training.

    With ``external`` hospitals one more model is trained at all patients, and only that one is evaluated there.
    """

    scheme: Literal["k-fold"]
    folds: int = Field(ge=2, le=20)
    external: tuple[Name, ...] = ()

    @property
    def told(self) -> str:
        """How patients were divided, in words."""
        text = (
            f"Internal figures are cross-validated: in each of {self.folds} folds a part of every hospital's patients, "
            "dealt by a keyed hash within outcome class, is kept aside and judged by the model of the others."
        )
        return f"{text} The model that goes to external hospitals learnt from all." if self.external else text


class Temporal(Section):
    """A patient trains if all of his rows lie before the ``cut``; he is internal, by his rows from it on, otherwise.

    ``column`` has a date or a time of each row: as ISO 8601, or in hours since 1970 as harmonization writes them.
    """

    scheme: Literal["temporal"]
    column: str
    cut: date
    external: tuple[Name, ...] = ()

    @property
    def told(self) -> str:
        """How patients were divided, in words."""
        return (
            f"Divided by time: who has no row from {self.cut.isoformat()} on (column {self.column}) trains; all others "
            "are internal by their rows from then on, and their earlier rows are left out."
        )


Scheme = Annotated[
    SiteHoldout | LeaveOneSiteOut | ColumnSplit | PooledSplit | KFold | Temporal, Field(discriminator="scheme")
]


def _aside(share: float) -> str:
    if not share:
        return ""
    return (
        f"{share:.0%} of each training hospital's patients are internal: ranked by a keyed hash within outcome class, "
        "fixed before training."
    )
