"""What the types of a run's results are made of: numbers, names, intervals, and what a figure is of."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from shared.sections import Name, Section

MAIN = "main"  # the only fold of a site-holdout; in leave-one-site-out a fold bears its left-out hospital's name


def _rounded(value: float) -> float:
    return float(f"{value:.12g}") + 0.0  # 0.0 turns -0.0 into 0.0


Number = Annotated[float, AfterValidator(_rounded)]  # 12 significant digits: noise in the last bits is no result
Numbers = tuple[Number, ...]
Count = Annotated[int, Field(ge=0)]
Counts = tuple[Count | None, ...]  # null: too few to report
CohortName = Literal["train", "internal", "external"]
Arm = Annotated[str, Field(pattern=r"^(federated|pooled|alone:[A-Za-z0-9][A-Za-z0-9_-]*)$")]
Model = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_+-]*$")]  # modalities joined by "+"


class Where(Section):
    """What a figure is of: a model as an arm trained it, on a cohort; ``site`` null is the cohort of all hospitals."""

    model: Model
    arm: Arm
    private: bool
    fold: Name = MAIN
    cohort: CohortName
    site: Name | None


def check_estimate(estimate: float | None, low: float | None, high: float | None, reason: str | None) -> None:
    """Raise ValueError where a figure is undefined without a reason, or has half an interval or one turned round."""
    if estimate is None and not (reason and low is None and high is None):
        raise ValueError("an undefined figure has a reason and no interval")
    if (low is None) != (high is None) or (low is not None and high is not None and low > high):
        raise ValueError("an interval has both ends, the lower one first")


def check_lengths(length: int, *series: tuple[object, ...]) -> None:
    """Raise ValueError where a series that is not empty has another length."""
    if any(len(values) not in (0, length) for values in series):
        raise ValueError(f"a series has another length than the {length} of its curve")
