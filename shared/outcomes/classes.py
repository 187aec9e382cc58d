"""Outcomes of several classes: without an order, in an order, or several labels at once."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from shared.outcomes.base import MISSING, Floats, OutcomeSection, Target, Truth, whole, word
from shared.sections import Name, duplicates


class Classes(OutcomeSection):
    """The classes of a column by name, each with the words that mean it."""

    column: str
    classes: dict[Name, tuple[str, ...]] = Field(min_length=3)

    @model_validator(mode="after")
    def _apart(self) -> "Classes":
        if twice := duplicates([text for words in self.classes.values() for text in words]):
            raise ValueError(f"a value belongs to one class: {', '.join(twice)}")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The outcome's column."""
        return (self.column,)

    @property
    def phrase(self) -> str:
        """What is predicted, for readers of a report."""
        return f"{self.column}: {', '.join(self.classes)}"

    def read(self, row: Mapping[str, str]) -> Truth | str:
        """The number of the class, from 0."""
        found = word(row[self.column], {t: float(k) for k, words in enumerate(self.classes.values()) for t in words})
        return found if isinstance(found, str) else (found,)

    def example(self, number: int) -> Truth:
        """The classes in turn."""
        return (float(number % len(self.classes)),)

    def strata(self, truth: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """The classes."""
        return truth[:, 0].astype(np.int64)

    @property
    def nested(self) -> bool:
        """A patient has one class: what all questions but one count gives the last."""
        return True

    def measures(self, truth: Floats, scores: Floats) -> dict[str, float]:
        """Share of right classes."""
        return {"accuracy": float((self.predicted(scores) == truth[:, 0]).mean())}

    def predicted(self, scores: Floats) -> npt.NDArray[np.int64]:
        """The predicted class of each unit, (units,)."""
        raise NotImplementedError


class Multiclass(Classes):
    """Classes without an order; scores are log odds up to a constant of the unit (softmax)."""

    kind: Literal["multiclass"]

    @property
    def outputs(self) -> int:
        """A score for each class."""
        return len(self.classes)

    def targets(self, truth: Floats, scores: Floats) -> dict[str, Target]:
        """Each class against all others: log odds of its probability."""
        from scipy.special import logsumexp  # here, as a courier reads studies and need not wait for scipy

        questions = {}
        for place, name in enumerate(self.classes):
            others = logsumexp(np.delete(scores, place, axis=1), axis=1)
            questions[name] = whole((truth[:, 0] == place).astype(np.float64), scores[:, place] - others)
        return questions

    def predicted(self, scores: Floats) -> npt.NDArray[np.int64]:
        """The class with the highest score."""
        return np.asarray(scores.argmax(axis=1), dtype=np.int64)


class Ordinal(Classes):
    """Classes from low to high; score k is the log odds of lying above class k (cumulative link, McCullagh 1980)."""

    kind: Literal["ordinal"]

    @property
    def outputs(self) -> int:
        """A score for each boundary between two classes."""
        return len(self.classes) - 1

    @property
    def proportional(self) -> bool:
        """One direction of severity, a cut for each boundary."""
        return True

    def targets(self, truth: Floats, scores: Floats) -> dict[str, Target]:
        """Above each boundary, named by the lowest class above it."""
        above = {name: place for place, name in enumerate(self.classes) if place > 0}
        return {
            f"at-least-{name}": whole((truth[:, 0] >= place).astype(np.float64), scores[:, place - 1])
            for name, place in above.items()
        }

    def measures(self, truth: Floats, scores: Floats) -> dict[str, float]:
        """Share of right classes, and agreement that weights an error by its squared distance."""
        from shared.metrics.agreement import cohen_kappa  # here, as it waits for scipy

        table = np.zeros((len(self.classes), len(self.classes)))
        np.add.at(table, (self.predicted(scores), truth[:, 0].astype(np.int64)), 1)
        agreement = cohen_kappa(table, quadratic=True)
        told = {"quadratic_kappa": round(agreement.kappa, 3)} if agreement else {}
        return {**super().measures(truth, scores), **told}

    def predicted(self, scores: Floats) -> npt.NDArray[np.int64]:
        """The number of boundaries that are more likely passed than not."""
        return np.asarray((scores > 0).sum(axis=1), dtype=np.int64)


class Multilabel(OutcomeSection):
    """Several yes-or-no columns at once; a label not recorded counts nowhere, a unit without any is left out."""

    kind: Literal["multilabel"]
    labels: dict[Name, str] = Field(min_length=2)  # column by label
    positive: tuple[str, ...] = Field(min_length=1)
    negative: tuple[str, ...] = Field(min_length=1)

    @property
    def columns(self) -> tuple[str, ...]:
        """A column for each label."""
        return tuple(self.labels.values())

    @property
    def outputs(self) -> int:
        """The log odds of each label."""
        return len(self.labels)

    @property
    def truths(self) -> int:
        """A truth for each label; NaN where it was not recorded."""
        return len(self.labels)

    @property
    def phrase(self) -> str:
        """What is predicted, for readers of a report."""
        return f"each of {', '.join(self.labels)}"

    def read(self, row: Mapping[str, str]) -> Truth | str:
        """1, 0 or NaN for each label."""
        words = {**dict.fromkeys(self.positive, 1.0), **dict.fromkeys(self.negative, 0.0)}
        found = [word(row[column], words) for column in self.columns]
        wrong = [rule for rule in found if isinstance(rule, str) and rule != MISSING]
        if wrong or all(isinstance(rule, str) for rule in found):
            return wrong[0] if wrong else MISSING
        return tuple(np.nan if isinstance(value, str) else value for value in found)

    def example(self, number: int) -> Truth:
        """Labels as the bits of the number, the first one not recorded in every fifth."""
        bits = [float(number >> place & 1) for place in range(len(self.labels))]
        return tuple([np.nan, *bits[1:]] if number % 5 == 4 else bits)

    def targets(self, truth: Floats, scores: Floats) -> dict[str, Target]:
        """Each label, among the units for whom it was recorded."""
        known = ~np.isnan(truth)
        return {
            name: Target(truth[known[:, k], k], scores[known[:, k], k], known[:, k])
            for k, name in enumerate(self.labels)
        }
