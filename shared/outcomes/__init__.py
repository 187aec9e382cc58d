"""What is predicted, one file per family of outcomes; how a model learns it is in ``losses/``."""

from typing import Annotated

from pydantic import Field

from shared.outcomes.binary import Binary
from shared.outcomes.classes import Multiclass, Multilabel, Ordinal
from shared.outcomes.numbers import Forecast, Regression
from shared.outcomes.survival import Survival

OUTCOMES = {
    "binary": Binary,
    "early-warning": Binary,
    "multiclass": Multiclass,
    "ordinal": Ordinal,
    "multilabel": Multilabel,
    "survival": Survival,
    "regression": Regression,
    "forecast": Forecast,
}

Outcome = Annotated[
    Binary | Multiclass | Ordinal | Multilabel | Survival | Regression | Forecast, Field(discriminator="kind")
]
