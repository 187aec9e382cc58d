"""Curves from what hospitals released: ROC, net benefit and histograms from tallies, calibration from their fits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
from scipy.special import expit
from scipy.stats import norm

from server.record import RunRecord
from server.report.curves import Calibration, Curve, Decision
from server.validation.noised import noised, summed
from server.validation.rows import by_cohort
from server.validation.summary import bins_of, counted, fine, pooled_tally, tallies_of
from shared.cohorts import ROLES, Role
from shared.metrics.cells import Cells
from shared.metrics.noised import CELLS
from shared.metrics.scores import MIDDLE, WIDTH, ScoreTally
from shared.metrics.splines import moment_knots, spline_basis
from shared.metrics.tally import Floats
from shared.metrics.utility import benefit_of_counts, treat_all
from shared.risk_figures import CalibrationFigures
from shared.study import Study
from shared.wire import SiteFigures

POINTS = 31  # of a calibration curve
REACH = 2.0  # standard deviations of the log odds to which a hospital's curve is drawn
Z = 1.959963984540054
OWN_CURVE = "the hospital's restricted cubic spline of the log odds"
MEAN_CURVE = "mean of the hospitals' restricted cubic splines, weighted by inverse variance"
BINNED = "from merged tallies of scores: exact where every hospital kept the edge, else as if normal within a cell"
Named = tuple[str, SiteFigures]


@dataclass(frozen=True)
class Place:
    """What curves are of: a model of a run on a cohort."""

    record: RunRecord
    model: str
    role: Role

    def at(self, site: str | None) -> dict[str, object]:
        """The columns that say so, for a hospital or for all."""
        run = self.record.run
        where = {"model": self.model, "arm": run.arm, "private": self.record.private, "fold": run.fold}
        return {**where, "cohort": self.role, "site": site}

    def risks(self, edges: Sequence[int] | Floats) -> Floats:
        """Probability at each edge of the grid, whose middle is the model's threshold."""
        middle = self.record.thresholds.get(self.model) or 0.0
        return np.asarray(expit((np.array(edges) - MIDDLE) * WIDTH + middle))


def places(study: Study, record: RunRecord) -> Iterator[tuple[Place, list[Named]]]:
    """Every model and cohort of a run that a hospital answered for; of a hospital alone only the primary model."""
    for model in (study.primary,) if record.run.arm.startswith("alone") else study.compared:
        for role in ROLES:
            if figures := by_cohort(record, model, role):
                yield Place(record, model, role), figures


def roc_rows(study: Study, record: RunRecord) -> Iterator[Curve]:
    """ROC curves over the hospitals of each cohort that kept bins enough."""
    for place, named in places(study, record):
        every = [own for _, own in named]
        figures = every if noised(every) else fine(every)
        tally = summed(figures) if noised(figures) else pooled_tally(figures)
        points = tally.roc() if tally else None
        if points:
            bins = CELLS if noised(figures) else bins_of(figures)
            n = sum(counted(own) or 0 for own in figures)
            values = {"kind": "roc", "x": tuple(points[0]), "y": tuple(points[1]), "bins": bins, "n": n}
            yield Curve.model_validate({**place.at(None), **values})


def decision_rows(study: Study, record: RunRecord) -> Iterator[Decision]:
    """Net benefit over the hospitals, at the edges of the grid inside the study's range of decisions."""
    declared = study.evaluation.decision_range
    for place, named in places(study, record):
        tallies = tallies_of([own for _, own in named])
        if declared is None or not tallies or place.record.folds:  # each fold's cells are around a cut of its own
            continue
        edges = np.array(sorted({edge for tally in tallies for edge in tally.edges}), dtype=np.float64)
        risks = place.risks(edges)
        inside = (risks >= declared[0]) & (risks <= declared[1])
        events, others = (sum(cells.total for cells in side) for side in zip(*map(_sides, tallies), strict=True))
        if not inside.any() or not events or not others:
            continue
        true, false = (
            sum((above(cells, edges[inside]) for cells in side), np.zeros(int(inside.sum())))
            for side in zip(*map(_sides, tallies), strict=True)
        )
        n, thresholds = round(events + others), risks[inside]
        values = {
            "threshold": tuple(thresholds.tolist()),
            "benefit": tuple(benefit_of_counts(true, false, n, thresholds).tolist()),
            "treat_all": tuple(treat_all(events / n, thresholds).tolist()),
        }
        yield Decision.model_validate({**place.at(None), **values, "n": n, "events": round(events), "method": BINNED})


def above(cells: Cells, edges: Floats) -> Floats:
    """Patients of one class at or above each of ``edges``: exact at the class's own edges.

    Between them, and beyond the outermost, the scores are taken as normal; spread evenly, those of the wide outer cells
    would lie much too far out. Even where the class has fewer than two inner edges.
    """
    below = np.concatenate([[0.0], np.cumsum(cells.counts)])
    inner = (below > 0) & (below < cells.total)
    own, quantiles = np.array(cells.edges)[inner], norm.ppf(below[inner] / max(cells.total, 1))
    if len(own) < 2 or quantiles[-1] == quantiles[0]:
        return np.asarray(cells.total - np.interp(edges, cells.edges, below))
    slope = (quantiles[-1] - quantiles[0]) / (own[-1] - own[0])
    beyond = np.minimum(edges - own[0], 0) + np.maximum(edges - own[-1], 0)
    return np.asarray(cells.total * norm.sf(np.interp(edges, own, quantiles) + slope * beyond))


def _sides(tally: ScoreTally) -> tuple[Cells, Cells]:
    return tally.events, tally.others


def calibration_rows(study: Study, record: RunRecord) -> Iterator[Calibration]:
    """The primary model's curve and histogram: of all hospitals, or of one where there is no other.

    Every model's and hospital's slope, intercept and distance are figures of their own.
    """
    for place, named in places(study, record):
        if place.model != study.primary:
            continue
        for site, own in named if len(named) == 1 else ():
            if fit := _fit(own):
                odds = _reach([fit])
                yield _drawn(place, site, [own], (odds, *_at(fit, odds)))
        fits = [fit for _, own in named if (fit := _fit(own))]
        odds = _reach(fits) if fits else np.zeros(0)
        if len(odds):
            values, variances = (np.stack(side) for side in zip(*(_at(fit, odds) for fit in fits), strict=True))
            weights = 1 / variances
            total = weights.sum(axis=0)
            curve = odds, (weights * values).sum(axis=0) / total, 1 / total
            yield _drawn(place, None, [own for _, own in named if _fit(own)], curve)


def _fit(figures: SiteFigures) -> CalibrationFigures | None:
    found = figures.risk.calibration if figures.risk else None
    return found if found and found.curve else None


def _reach(fits: Sequence[CalibrationFigures]) -> Floats:
    """Log odds within reach of every hospital, rising; none where they do not meet."""
    low = max(fit.mean - REACH * fit.deviation for fit in fits)
    high = min(fit.mean + REACH * fit.deviation for fit in fits)
    return np.linspace(low, high, POINTS) if low < high else np.zeros(0)


def _at(fit: CalibrationFigures, odds: Floats) -> tuple[Floats, Floats]:
    """Log odds that a hospital observed at ``odds``, and their variance."""
    basis = spline_basis(odds, moment_knots(fit.mean, fit.deviation))
    upper = np.zeros((3, 3))
    upper[np.triu_indices(3)] = fit.curve_covariance
    covariance = upper + np.triu(upper, 1).T
    return basis @ np.array(fit.curve), np.einsum("ip,pq,iq->i", basis, covariance, basis)


def _drawn(
    place: Place, site: str | None, figures: Sequence[SiteFigures], curve: tuple[Floats, Floats, Floats]
) -> Calibration:
    """A curve of (log odds, observed log odds, variance) in probabilities, with the histogram of ``figures``."""
    odds, values, variances = curve
    half = Z * np.sqrt(np.maximum(variances, 0))
    sides = {"predicted": odds, "observed": values, "low": values - half, "high": values + half}
    return Calibration.model_validate(
        {
            **place.at(site),
            **{name: tuple(expit(side).tolist()) for name, side in sides.items()},
            **_histogram(place, tallies_of(figures)),
            "n": sum(own.n or 0 for own in figures),
            "cases": sum(own.events or 0 for own in figures),
            "method": OWN_CURVE if site else MEAN_CURVE,
        }
    )


def _histogram(place: Place, tallies: Sequence[ScoreTally]) -> dict[str, object]:
    """Patients of each class in the cells that all hospitals and both classes kept: no cell is a small one."""
    if not tallies:
        return {}
    together = reduce(add, tallies)
    edges = _held(together, sorted(set(together.events.edges) & set(together.others.edges)))
    sides = {"events": together.events, "others": together.others}
    counts = {name: tuple(round(count) for count in cells.coarsened(edges).counts) for name, cells in sides.items()}
    return {"edges": tuple(place.risks(edges).tolist()), **counts}


def _held(tally: ScoreTally, edges: list[int]) -> list[int]:
    """The edges without the empty cells at both ends."""
    both = np.array(tally.events.coarsened(edges).counts) + np.array(tally.others.coarsened(edges).counts)
    held = np.flatnonzero(both)
    return edges[held[0] : held[-1] + 2] if len(held) else edges
