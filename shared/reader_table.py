"""What a paper printed of a reader, or of a score that is fixed: a table of decisions, or an accuracy alone."""

from typing import Literal

from pydantic import Field, model_validator

from shared.sections import Section


class ReaderTable(Section):
    """Patients by decision and outcome (``tp``, ``fn``, ``tn``, ``fp``), or the printed ``accuracy``."""

    name: str  # for readers of the report, as "radiologist 1"
    cohort: Literal["train", "internal", "external"] = "external"
    tp: int | None = Field(default=None, ge=0)
    fn: int | None = Field(default=None, ge=0)
    tn: int | None = Field(default=None, ge=0)
    fp: int | None = Field(default=None, ge=0)
    accuracy: float | None = Field(default=None, ge=0, le=1)
    patients: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _one_of_both(self) -> "ReaderTable":
        counts = (self.tp, self.fn, self.tn, self.fp)
        whole, none = None not in counts, counts == (None,) * 4
        if not (whole and self.accuracy is None) and not (none and self.accuracy is not None):
            raise ValueError("states tp, fn, tn and fp, or an accuracy")
        if whole and 0 in (self.events, self.others):
            raise ValueError("both outcomes must occur")
        return self

    @property
    def events(self) -> int:
        """Patients with the outcome, of a table."""
        return (self.tp or 0) + (self.fn or 0)

    @property
    def others(self) -> int:
        """Patients without the outcome, of a table."""
        return (self.tn or 0) + (self.fp or 0)
