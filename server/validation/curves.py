"""Curves from what hospitals released: ROC, decision and risk histograms from tallies, calibration from their fits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from server.record import RunRecord
from server.report.results import Curve
from server.validation.rows import by_cohort
from server.validation.summary import bins_of, pooled_tally
from shared.cohorts import ROLES, Role
from shared.metrics.scores import MIDDLE, WIDTH, ScoreTally
from shared.metrics.splines import moment_knots, spline_basis
from shared.metrics.tally import Floats
from shared.metrics.utility import benefit_of_counts, treat_all
from shared.risk_figures import CalibrationFigures
from shared.study import Study
from shared.wire import SiteFigures

POINTS = 41  # of a calibration curve
REACH = 2.0  # standard deviations of the log odds to which a hospital's curve is drawn
Z = 1.959963984540054


@dataclass(frozen=True)
class Place:
    """What a curve is of."""

    record: RunRecord
    model: str
    role: Role
    bins: int

    def curve(
        self, kind: str, site: str | None, x: Floats, y: Floats, band: tuple[Floats, Floats] | None = None
    ) -> Curve:
        """The curve as the results keep it."""
        return Curve(
            kind=kind,  # type: ignore[arg-type]
            model=self.model,
            arm=self.record.run.arm,
            private=self.record.private,
            fold=self.record.run.fold,
            cohort=self.role,
            site=site,
            x=tuple(x.tolist()),
            y=tuple(y.tolist()),
            low=tuple(band[0].tolist()) if band else None,
            high=tuple(band[1].tolist()) if band else None,
            bins=self.bins,
        )


def curve_rows(study: Study, record: RunRecord) -> Iterator[Curve]:
    """Every curve of every model and cohort of a run."""
    for model in study.models:
        for role in ROLES:
            named = by_cohort(record, model, role)
            figures = [own for _, own in named]
            place = Place(record, model, role, bins_of(figures))
            if tally := pooled_tally(figures):
                yield from _of_tally(place, tally, study.evaluation.decision_range)
            yield from _calibration(place, named)


def _of_tally(place: Place, tally: ScoreTally, decisions: tuple[float, float] | None) -> Iterator[Curve]:
    points = tally.roc()
    if points is None:
        return
    yield place.curve("roc", None, np.array(points[0]), np.array(points[1]))
    middle = place.record.thresholds.get(place.model) or 0.0
    even = tally.spread(tally.edges)
    risk = expit((np.array(tally.edges) - MIDDLE) * WIDTH + middle)
    for kind, cells in (("risk_events", even.events), ("risk_others", even.others)):
        yield place.curve(kind, None, risk, np.array([*cells.counts, 0.0]))
    if decisions is not None:
        yield from _decisions(place, even, risk, decisions)


def _decisions(place: Place, even: ScoreTally, risk: Floats, decisions: tuple[float, float]) -> Iterator[Curve]:
    """Net benefit at the edges inside the declared range, exact where every hospital kept that edge."""
    inside = (risk >= decisions[0]) & (risk <= decisions[1])
    if not inside.any():
        return
    above = [np.append(np.cumsum(cells.counts[::-1])[::-1], 0.0)[inside] for cells in (even.events, even.others)]
    n, prevalence = even.events.total + even.others.total, even.events.total
    yield place.curve(
        "decision", None, risk[inside], benefit_of_counts(above[0], above[1], int(round(n)), risk[inside])
    )
    yield place.curve("treat_all", None, risk[inside], treat_all(prevalence / n, risk[inside]))


def _calibration(place: Place, named: Sequence[tuple[str, SiteFigures]]) -> Iterator[Curve]:
    """Each hospital's own curve, and their mean with inverse-variance weights where two or more reach."""
    fits = [
        (site, f.risk.calibration) for site, f in named if f.risk and f.risk.calibration and f.risk.calibration.curve
    ]
    for site, fit in fits:
        odds = np.linspace(fit.mean - REACH * fit.deviation, fit.mean + REACH * fit.deviation, POINTS)
        yield _drawn(place, site, odds, *_at(fit, odds))
    if len(fits) > 1:
        low = max(fit.mean - REACH * fit.deviation for _, fit in fits)
        high = min(fit.mean + REACH * fit.deviation for _, fit in fits)
        if low < high:
            odds = np.linspace(low, high, POINTS)
            values, variances = (np.stack(side) for side in zip(*(_at(fit, odds) for _, fit in fits), strict=True))
            weights = 1 / variances
            yield _drawn(
                place, None, odds, (weights * values).sum(axis=0) / weights.sum(axis=0), 1 / weights.sum(axis=0)
            )


def _at(fit: CalibrationFigures, odds: Floats) -> tuple[Floats, Floats]:
    """Log odds that a hospital observed at ``odds``, and their variance."""
    assert fit.curve is not None
    assert fit.curve_covariance is not None
    basis = spline_basis(odds, moment_knots(fit.mean, fit.deviation))
    covariance = np.zeros((3, 3))
    covariance[np.triu_indices(3)] = fit.curve_covariance
    covariance = covariance + np.triu(covariance, 1).T
    return basis @ np.array(fit.curve), np.einsum("ip,pq,iq->i", basis, covariance, basis)


def _drawn(place: Place, site: str | None, odds: Floats, values: Floats, variances: Floats) -> Curve:
    half = Z * np.sqrt(variances)
    return place.curve("calibration", site, expit(odds), expit(values), (expit(values - half), expit(values + half)))
