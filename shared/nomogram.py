"""A fixed score that was published: log odds from columns of the patients' table, a model beside others."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, model_validator

from shared.sections import Section


class NumberTerm(Section):
    """A number's part: ``per`` unit of the column, as the table has it; ``fill`` stands for one that is missing."""

    per: float
    fill: float


class WordTerm(Section):
    """A word's part of the log odds; ``fill`` is the word that stands for one that is missing."""

    points: dict[str, float] = Field(min_length=2)
    fill: str

    @model_validator(mode="after")
    def _known(self) -> "WordTerm":
        if self.fill not in self.points:
            raise ValueError(f"fill must be one of the words with points, got {self.fill}")
        return self


class Nomogram(Section):
    """Log odds = ``intercept`` + the terms; a risk of ``threshold`` or more is called positive."""

    intercept: float
    numeric: dict[str, NumberTerm] = {}
    categorical: dict[str, WordTerm] = {}
    threshold: Annotated[float, Field(gt=0, lt=1)]

    @model_validator(mode="after")
    def _has_terms(self) -> "Nomogram":
        if not (self.numeric or self.categorical):
            raise ValueError("needs a term: numeric.COLUMN or categorical.COLUMN")
        return self

    def log_odds(self, numbers: Mapping[str, float | None], words: Mapping[str, str | None]) -> float:
        """Of one row; what is missing (None) has its declared ``fill``."""
        found = self.intercept
        for name, number in self.numeric.items():
            value = numbers.get(name)
            found += number.per * (number.fill if value is None else value)
        for name, word in self.categorical.items():
            found += word.points[words.get(name) or word.fill]
        return found
