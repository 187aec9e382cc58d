"""Free text: a column of the table, UTF-8 files, or a table of notes; a patient's notes in the order of time."""

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from shared.modalities.base import Input, is_pattern
from shared.modalities.weights import Digest
from shared.sections import Section

BREAK = "\n\n"  # between two notes of a patient


class NoteColumns(Section):
    """Names of a table's columns; ``time`` in hours orders the notes and drops those later than the prediction."""

    patient: str = "patient_id"
    time: str = "time"
    text: str = "text"


class Text(Input):
    """A patient is (bytes,) uint8: his notes as UTF-8, zeros after the end; of longer notes the last part is kept.

    What a byte, a word or a token means is the encoder's: its front end turns the bytes into them.
    """

    dtype: ClassVar[str] = "uint8"
    kind: Literal["text"]
    encoder: Literal["ngrams", "words", "bilstm", "bert"] = "ngrams"
    width: int = Field(default=1, ge=1, le=256)
    column: str = ""  # exactly one of the three sources
    path: str = ""  # pattern inside the site's folder, with {patient} or {row}
    table: str = ""
    columns: NoteColumns = NoteColumns()
    length: int = Field(default=4096, ge=16, le=1_000_000)  # bytes kept
    weights: Digest | None = None  # word vectors of "words" (and of "bilstm"), the model folder of "bert"
    tuning: Literal["frozen", "lora", "full"] = "frozen"  # of "bert"
    dimension: int = Field(default=768, ge=1, le=4096)  # of a word's vector, or of "bert" inside
    layers: int = Field(default=12, ge=1, le=48)  # of "bert"
    tokens: int = Field(default=256, ge=8, le=4096)  # words or tokens read at once by "bilstm" and "bert"

    @model_validator(mode="after")
    def _one_source(self) -> "Text":
        if sum(map(bool, (self.column, self.path, self.table))) != 1:
            raise ValueError("text comes from exactly one of column, path and table")
        if self.path and not is_pattern(self.path):
            raise ValueError('path must hold "{patient}" or "{row}" once, as in "notes/{patient}/*.txt"')
        if self.encoder in ("words", "bert") and self.weights is None:
            raise ValueError(f'encoder "{self.encoder}" needs weights, the digest of its pre-trained file or folder')
        return self

    @property
    def cells(self) -> list[str]:
        """Columns of ``patients.csv`` that are read."""
        return [self.column] if self.column else []

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one patient: (bytes,)."""
        return (self.length,)
