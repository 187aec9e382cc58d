"""What a hospital tells of a model's risks beside their AUC, and the rules that keep it from telling of patients.

Average precision, as every figure made of ranks alone, takes so few values that many digits would give the order of
the patients away; figures of ranks are therefore told to three decimals, variances to four digits.
"""

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from shared.sections import Section


def _three_decimals(value: float) -> float:
    if round(value, 3) != value:
        raise ValueError("a figure of ranks is told to three decimals")
    return value


def _four_digits(value: float) -> float:
    if float(f"{value:.4g}") != value:
        raise ValueError("a variance is told to four digits")
    return value


Share = Annotated[float, Field(ge=0, le=1)]
Rounded = Annotated[Share, AfterValidator(_three_decimals)]
Variance = Annotated[float, Field(ge=0), AfterValidator(_four_digits)]


class Precision(Section):
    """Average precision with its bootstrap interval; read it beside the prevalence."""

    value: Rounded
    low: Rounded
    high: Rounded


class CalibrationFigures(Section):
    """Calibration on the logit: in the large, the line, and a curve on knots that the two moments give.

    ``curve`` are the three coefficients of the restricted cubic spline, ``curve_covariance`` the upper triangle of
    their covariance; None where it cannot be fitted.
    """

    large: float
    large_variance: float = Field(gt=0)
    intercept: float
    slope: float
    slope_variance: float = Field(gt=0)
    mean: float
    deviation: float = Field(gt=0)
    curve: tuple[float, float, float] | None = None
    curve_covariance: tuple[float, float, float, float, float, float] | None = None
    distance: Rounded | None = None  # ICI: mean distance of the curve from the predicted risk

    @model_validator(mode="after")
    def _whole(self) -> "CalibrationFigures":
        if len({self.curve is None, self.curve_covariance is None, self.distance is None}) > 1:
            raise ValueError("a curve has coefficients, their covariance, and a distance")
        return self


class Paired(Section):
    """Variances of the differences from the primary model on the same patients."""

    auc: Variance
    brier: Variance


Cell = Annotated[int, Field(ge=0)]
Four = tuple[Cell, Cell, Cell, Cell]


class Joint(Section):
    """Decisions of the primary model and of a nomogram on the same patients, of whom each class is a table.

    Both positive, only the primary, only the nomogram, neither; no cell is a small one.
    """

    events: Four
    others: Four


class RiskFigures(Section):
    """Sums and fits of one model's risks over one hospital's patients of one cohort."""

    expected: float = Field(gt=0)  # events that the risks add up to
    log_loss: float = Field(ge=0)
    precision: Precision | None = None  # a hospital tells it always; a cross-validation has none
    calibration: CalibrationFigures | None = None
    paired: Paired | None = None
    joint: Joint | None = None  # of a nomogram; None where a cell is small
