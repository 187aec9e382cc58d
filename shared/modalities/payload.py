"""A sequence of raw bytes, as the payload of a network session."""

from typing import ClassVar, Literal

from pydantic import Field

from shared.modalities.base import Input


class Payload(Input):
    """A patient (here: a session) is (bytes,) int16: each byte plus one, zeros after the end."""

    dtype: ClassVar[str] = "int16"
    kind: Literal["bytes"]
    encoder: Literal["byte-histogram", "byte-cnn"] = "byte-histogram"
    width: int = Field(default=1, ge=1, le=256)
    path: str = Field(min_length=1)  # column of patients.csv with the file's path inside the site's folder
    length: int = Field(default=784, ge=8, le=1_000_000)
    pretraining: int = Field(default=0, ge=0, le=1000)  # epochs of masked-byte prediction of "byte-cnn" before training

    @property
    def cells(self) -> list[str]:
        """Columns of ``patients.csv`` that are read."""
        return [self.path]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one patient: (bytes,)."""
        return (self.length,)
