"""What a paper printed of a reader, a fixed score or another model: a table of decisions, or figures alone."""

from typing import Literal

from pydantic import Field, model_validator

from shared.published import Printed
from shared.sections import Section

Figure = Literal["auc", "accuracy", "sensitivity", "specificity", "ppv", "npv", "f1", "kappa"]


class ReaderTable(Section):
    """Patients by decision and outcome (``tp``, ``fn``, ``tn``, ``fp``), ``printed`` figures, or both."""

    name: str  # for readers of the report, as "radiologist 1"
    cohort: Literal["train", "internal", "external"] = "external"
    tp: int | None = Field(default=None, ge=0)
    fn: int | None = Field(default=None, ge=0)
    tn: int | None = Field(default=None, ge=0)
    fp: int | None = Field(default=None, ge=0)
    printed: dict[Figure, Printed] = {}
    patients: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _something(self) -> "ReaderTable":
        counts = (self.tp, self.fn, self.tn, self.fp)
        whole, none = None not in counts, counts == (None,) * 4
        if not whole and not (none and self.printed):
            raise ValueError("states tp, fn, tn and fp, or printed figures")
        if whole and 0 in (self.events, self.others):
            raise ValueError("both outcomes must occur")
        if any(not (-1 if name == "kappa" else 0) <= value[0] <= 1 for name, value in self.printed.items()):
            raise ValueError("a printed figure lies between 0 and 1")
        return self

    @property
    def whole(self) -> bool:
        """Whether the table of decisions is known."""
        return self.tp is not None

    @property
    def events(self) -> int:
        """Patients with the outcome, of a table."""
        return (self.tp or 0) + (self.fn or 0)

    @property
    def others(self) -> int:
        """Patients without the outcome, of a table."""
        return (self.tn or 0) + (self.fp or 0)
