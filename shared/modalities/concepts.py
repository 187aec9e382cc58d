"""A list of codes, as diagnoses, procedures or concept identifiers (CUIs), in the order of time where one is known."""

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from shared.modalities.base import Input
from shared.sections import Section

CODES = 2**31 - 1  # a code is its stable hash modulo this, plus one; zero is no code


class CodeColumns(Section):
    """Names of a table's columns; ``time`` in hours orders the codes and drops those later than the prediction."""

    patient: str = "patient_id"
    time: str = "time"
    code: str = "code"


class Concepts(Input):
    """A patient is (items,) int64 of hashed codes, zeros after the end; of more codes the last ones are kept."""

    dtype: ClassVar[str] = "int64"
    kind: Literal["concepts"]
    encoder: Literal["hashed-bag", "bilstm"] = "hashed-bag"
    width: int = Field(default=1, ge=1, le=256)
    column: str = ""  # one of the two sources; codes in a cell stand apart by ``separator``
    table: str = ""
    columns: CodeColumns = CodeColumns()
    separator: str = Field(default=" ", min_length=1)
    items: int = Field(default=64, ge=1, le=100_000)

    @model_validator(mode="after")
    def _one_source(self) -> "Concepts":
        if bool(self.column) == bool(self.table):
            raise ValueError("codes come from exactly one of column and table")
        return self

    @property
    def cells(self) -> list[str]:
        """Columns of ``patients.csv`` that are read."""
        return [self.column] if self.column else []

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one patient: (items,)."""
        return (self.items,)
