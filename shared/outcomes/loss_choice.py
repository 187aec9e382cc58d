"""Which loss a study trains with; what a loss needs to know of the classes is declared, never counted."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.sections import Positive, Section


class CrossEntropy(Section):
    """The outcome's own likelihood: cross-entropy, cumulative link, hazard or squared error."""

    kind: Literal["likelihood"] = "likelihood"


class Weighted(Section):
    """Each class weighs 1 / (classes x its declared prevalence): rare ones count as much as frequent ones in all.

    Scores are then those of balanced classes; recalibrate the intercept where probabilities matter.
    """

    kind: Literal["weighted"]
    prevalence: tuple[float, ...] = Field(min_length=2)  # of the classes in order; binary: [no event, event]

    @model_validator(mode="after")
    def _shares(self) -> "Weighted":
        if min(self.prevalence) <= 0 or abs(sum(self.prevalence) - 1) > 1e-6:
            raise ValueError(f"prevalence must be positive shares that add up to 1, got {list(self.prevalence)}")
        return self

    @property
    def weights(self) -> tuple[float, ...]:
        """The weight of each class."""
        return tuple(1 / (len(self.prevalence) * share) for share in self.prevalence)


class Focal(Section):
    """Cross-entropy times (1 - probability of the truth) ** gamma (Lin et al. 2017): what is easy counts less."""

    kind: Literal["focal"]
    gamma: Positive = 2.0


LossChoice = Annotated[CrossEntropy | Weighted | Focal, Field(discriminator="kind")]
