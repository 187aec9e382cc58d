"""Figures of the risks beside the AUC: of a hospital, and over hospitals from sums where they add up."""

import math
from collections.abc import Callable, Sequence

from server.validation.main_measure import mean_r2
from server.validation.summary import Estimate
from shared.metrics.calibration import log_ratio_error
from shared.metrics.classification import wilson
from shared.risk_figures import RiskFigures
from shared.wire import SiteFigures

Z = 1.959963984540054
UNFITTED = "the scores separate the classes, or are all alike"
FIXED = "mean over hospitals, weighted by inverse variance"


def site_risks(figures: SiteFigures) -> dict[str, Estimate]:
    """Every figure of one hospital."""
    risk, n, events = figures.risk, figures.n or 0, figures.events or 0
    reason = figures.reasons.get("auc") or figures.reasons.get("all") or "not reported"
    fit = risk.calibration if risk else None
    unfitted = UNFITTED if risk else reason
    precision = risk.precision if risk else None
    return {
        **_sums([figures], reason),
        "citl": _normal(fit.large, fit.large_variance, "intercept beside the log odds") if fit else _none(unfitted),
        "calibration_slope": _normal(fit.slope, fit.slope_variance, "Wald interval") if fit else _none(unfitted),
        "calibration_intercept": Estimate(fit.intercept, method="beside the slope") if fit else _none(unfitted),
        "ici": Estimate(fit.distance, method="restricted cubic spline, three knots")
        if fit and fit.distance is not None
        else _none(unfitted),
        "average_precision": Estimate(precision.value, precision.low, precision.high, "2000 bootstraps of patients")
        if precision
        else _none(reason),
        "prevalence": Estimate(events / n, *wilson(events, n), method="Wilson interval") if n else _none(reason),
    }


def over_hospitals(figures: Sequence[SiteFigures]) -> dict[str, Estimate]:
    """Figures of all hospitals together, of those that told."""
    known = [own for own in figures if own.risk is not None]
    reason = ", ".join(sorted({text for own in figures for text in own.reasons.values()})) or "no hospital reported it"
    n, events = sum(own.n or 0 for own in known), sum(own.events or 0 for own in known)
    return {
        **_sums(known, reason),
        "citl": _weighted(known, lambda risk: (c.large, c.large_variance) if (c := risk.calibration) else None, reason),
        "calibration_slope": _weighted(
            known, lambda risk: (c.slope, c.slope_variance) if (c := risk.calibration) else None, reason
        ),
        "prevalence": Estimate(events / n, *wilson(events, n), method="Wilson interval") if n else _none(reason),
    }


def site_measures(figures: SiteFigures) -> dict[str, Estimate]:
    """Figures of the outcome as a whole at one hospital; a C-index with its interval."""
    found = {
        name: Estimate(value, method="of the hospital's own patients")
        for name, value in figures.measures.items()
        if name != "c_index_error"
    }
    if (mean := mean_r2([figures])) is not None:
        found["r2_mean"] = mean
    if part := _concordance(figures):
        found["c_index"] = _normal(*part, "within the hospital, infinitesimal jackknife")
    return found


def _concordance(figures: SiteFigures) -> tuple[float, float] | None:
    value, error = figures.measures.get("c_index"), figures.measures.get("c_index_error")
    return (value, error**2) if value is not None and error else None


def measures_over_hospitals(figures: Sequence[SiteFigures]) -> dict[str, Estimate]:
    """Figures of the outcome as a whole that add up: mean and squared errors and shares of right classes, by units."""
    told = [own for own in figures if own.measures and own.n]
    found = {}
    for name in told[0].measures if told else ():
        kind, values = (
            name.partition(".")[0],
            [(own.n or 0, own.measures[name]) for own in told if name in own.measures],
        )
        power = {"mae": 1, "accuracy": 1, "rmse": 2}.get(kind)
        if power and len(values) == len(told):
            mean = sum(n * value**power for n, value in values) / sum(n for n, _ in values)
            found[name] = Estimate(mean ** (1 / power), method="exact over hospitals, by units")
    if (squared := mean_r2(figures)) is not None:
        found["r2_mean"] = squared
    if parts := [part for own in told if (part := _concordance(own))]:
        found["c_index"] = _mean(parts, "within hospitals, weighted by inverse variance")
    return found


def _sums(figures: Sequence[SiteFigures], reason: str) -> dict[str, Estimate]:
    """Figures that are sums over patients, and so exact over hospitals."""
    told = [own for own in figures if own.brier is not None and own.n]
    known = [own for own in told if own.risk is not None]
    n, events = sum(own.n or 0 for own in told), sum(own.events or 0 for own in told)
    names = ("brier", "brier_scaled", "log_loss", "oe_ratio")
    if not told:
        return dict.fromkeys(names, _none(reason))
    brier = sum((own.n or 0) * (own.brier or 0.0) for own in told) / n
    prevalence = events / n
    found = {
        "brier": Estimate(brier, method="mean squared error"),
        "brier_scaled": Estimate(1 - brier / (prevalence * (1 - prevalence)), method="against the prevalence"),
        "log_loss": _none("not reported"),
        "oe_ratio": _none("not reported"),
    }
    if len(known) == len(told):
        losses = sum((own.n or 0) * own.risk.log_loss for own in known if own.risk)
        expected = sum(own.risk.expected for own in known if own.risk)
        ratio, half = events / expected, Z * log_ratio_error(n, events)
        interval = ratio * math.exp(-half), ratio * math.exp(half)
        found["log_loss"] = Estimate(losses / n, method="mean negative log-likelihood")
        found["oe_ratio"] = Estimate(ratio, *interval, method="observed over expected events, log interval")
    return found


def _weighted(
    figures: Sequence[SiteFigures], part_of: Callable[[RiskFigures], tuple[float, float] | None], reason: str
) -> Estimate:
    parts = [part for own in figures if own.risk and (part := part_of(own.risk))]
    if not parts:
        return _none(UNFITTED if figures else reason)
    return _mean(parts, FIXED)


def _mean(parts: Sequence[tuple[float, float]], method: str) -> Estimate:
    weights = [1 / variance for _, variance in parts]
    mean = sum(weight * value for weight, (value, _) in zip(weights, parts, strict=True)) / sum(weights)
    return _normal(mean, 1 / sum(weights), method)


def _normal(value: float, variance: float, method: str) -> Estimate:
    half = Z * math.sqrt(variance)
    return Estimate(value, value - half, value + half, method)


def _none(reason: str) -> Estimate:
    return Estimate(None, reason=reason)
