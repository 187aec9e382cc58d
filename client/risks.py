"""Models' risks on a hospital's own patients: calibration, precision, and the differences from the primary model."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from client.evaluation import Ward
from shared.metrics.bootstrap import average_precision, intervals, weighted_precision
from shared.metrics.calibration import flexible, ici, in_the_large, slope
from shared.metrics.delong import Floats, clustered_auc, paired_auc
from shared.metrics.risk import RiskTally
from shared.metrics.splines import moment_knots
from shared.risk_figures import CalibrationFigures, Paired, Precision, RiskFigures
from shared.wire import SiteFigures

Owners = npt.NDArray[np.int64]  # whose each unit is
SEED = 20_000  # of the resamples: the same patients give the same interval
CURVE_PARAMETERS = 3


def risk_figures(event: Floats, scores: Mapping[str, Floats], owner: Owners, primary: str) -> dict[str, RiskFigures]:
    """Figures of each model: ``event`` (units,) 0 or 1, ``scores`` (units,) log odds by model, ``primary`` among them.

    Both classes must occur at two patients or more.
    """
    resampled = intervals(weighted_precision, event, scores, owner, SEED)
    paired = _paired(event, scores, owner, primary)
    found = {}
    for model, score in scores.items():
        tally, (low, high) = RiskTally.of(event, score), resampled[model] or (0.0, 1.0)
        precision = Precision(value=round(average_precision(event, score), 3), low=round(low, 3), high=round(high, 3))
        found[model] = RiskFigures(
            expected=float(tally.expected),
            log_loss=tally.log_loss,
            precision=precision,
            calibration=_calibration(event, score),
            paired=paired.get(model),
        )
    return found


def with_risks(
    figures: Sequence[SiteFigures], ward: Ward, scores: Mapping[str, Floats], primary: str
) -> list[SiteFigures]:
    """The figures of every model, completed for each question whose AUC may leave; ``scores`` (units, outputs) each."""
    questions = {model: ward.outcome.targets(ward.truth, values) for model, values in scores.items()}
    found: dict[tuple[str, str], RiskFigures] = {}
    for name, target in questions[primary].items():
        told = [own.model for own in figures if own.target == name and own.auc is not None]
        if set(told) == set(scores):  # few of a class are few for every model
            own_scores = {model: questions[model][name].score for model in scores}
            risks = risk_figures(target.event, own_scores, ward.owner[target.known], primary)
            found |= {(model, name): risk for model, risk in risks.items()}
    return [own.model_copy(update={"risk": found.get((own.model, own.target))}) for own in figures]


def _calibration(event: Floats, score: Floats) -> CalibrationFigures | None:
    """None where the scores separate the classes or do not vary: there is no line then."""
    large, line = in_the_large([(event, score)]), slope([(event, score)])
    if large is None or line is None:
        return None
    mean, deviation = float(score.mean()), float(score.std())
    knots = moment_knots(mean, deviation)
    fit = flexible([(event, score)], knots) if len(event) >= 3 * CURVE_PARAMETERS else None
    return CalibrationFigures(
        large=float(large.coefficients[0]),
        large_variance=float(large.covariance[0, 0]),
        intercept=float(line.coefficients[0]),
        slope=float(line.coefficients[1]),
        slope_variance=float(line.covariance[1, 1]),
        mean=mean,
        deviation=deviation,
        curve=None if fit is None else tuple(fit.coefficients.tolist()),
        curve_covariance=None if fit is None else tuple(fit.covariance[np.triu_indices(CURVE_PARAMETERS)].tolist()),
        distance=None if fit is None else round(ici(fit, knots, score), 3),
    )


def _paired(event: Floats, scores: Mapping[str, Floats], owner: Owners, primary: str) -> dict[str, Paired]:
    """Variances of the differences from the primary: DeLong's or Obuchowski's, and that of a mean over patients."""
    names, several = list(scores), len(np.unique(owner)) < len(owner)
    stacked = np.stack([scores[name] for name in names])
    covariance = (clustered_auc(event, stacked, owner) if several else paired_auc(event, stacked)).covariance
    base = names.index(primary)
    spread = np.diag(covariance) + covariance[base, base] - 2 * covariance[base]
    errors = (expit(stacked) - event) ** 2
    found = {}
    for place, name in enumerate(names):
        gaps = errors[place] - errors[base]
        by_patient = np.bincount(owner, gaps - gaps.mean())[np.unique(owner)]
        k = len(by_patient)
        brier = float(np.sum(by_patient**2)) * k / (k - 1) / len(gaps) ** 2
        found[name] = Paired(auc=_digits(float(spread[place])), brier=_digits(brier))
    del found[primary]
    return found


def _digits(value: float) -> float:
    return float(f"{max(value, 0.0):.4g}")
