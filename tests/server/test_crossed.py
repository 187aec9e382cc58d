"""What a cross-validation's parts give together: sums as of all patients, areas within parts, variances that add."""

import numpy as np
import pytest

from server.validation.crossed import joined
from server.validation.risks import site_risks
from server.validation.summary import site_auc
from shared.metrics.delong import clustered_auc
from shared.metrics.risk import RiskTally
from shared.metrics.scores import ScoreTally
from shared.risk_figures import CalibrationFigures, Paired, RiskFigures
from shared.score_cells import ClassCells
from shared.wire import SiteFigures

EMPTY = {"n": None, "events": None, "reasons": {"all": "too few to report"}}


def part(event: np.ndarray, score: np.ndarray) -> SiteFigures:
    """As a hospital tells of one held-out part."""
    areas, tally = clustered_auc(event, score[None], np.arange(len(event))), RiskTally.of(event, score)
    cells = ScoreTally.of(event, score).merged(1)
    sides = [ClassCells(edges=c.edges, counts=tuple(map(int, c.counts))) for c in (cells.events, cells.others)]
    fit = CalibrationFigures(
        large=0.1, large_variance=0.04, intercept=0.0, slope=0.9, slope_variance=0.09, mean=0.0, deviation=1.0
    )
    risk = RiskFigures(
        expected=tally.expected, log_loss=tally.log_loss, calibration=fit, paired=Paired(auc=0.002, brier=0.0004)
    )
    return SiteFigures(
        model="m", role="internal", n=len(event), events=int(event.sum()), patients=len(event),
        auc=float(areas.auc[0]), auc_variance=float(areas.covariance[0, 0]), brier=tally.brier, risk=risk,
        event_cells=sides[0], other_cells=sides[1],
    )  # fmt: skip


def drawn(seed: int, n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    event = (rng.random(n) < 0.5).astype(float)
    return event, 1.5 * (event - 0.5) + rng.normal(size=n)


def test_sums_are_those_of_all_patients() -> None:
    pieces = [drawn(seed) for seed in range(5)]
    together = joined([part(*piece) for piece in pieces])
    whole = part(*(np.concatenate(side) for side in zip(*pieces, strict=True)))
    assert (together.n, together.events, together.patients) == (whole.n, whole.events, whole.patients)
    assert together.brier == pytest.approx(whole.brier, abs=1e-12)
    risks, of_whole = site_risks(together), site_risks(whole)
    for name in ("brier", "brier_scaled", "log_loss", "oe_ratio", "prevalence"):
        assert risks[name].value == pytest.approx(of_whole[name].value, abs=1e-12)
    counts = ScoreTally(*(c for c in (together.event_cells, together.other_cells) if c)).decisions()  # type: ignore[arg-type]
    assert counts == ScoreTally(*(c for c in (whole.event_cells, whole.other_cells) if c)).decisions()  # type: ignore[arg-type]


def test_an_area_is_within_parts_and_its_variance_that_of_the_mean() -> None:
    """Equal parts: the plain mean, a fold's variance over k, as cvAUC (LeDell and others 2015) computes it."""
    event = np.array([1.0] * 20 + [0.0] * 20)
    scores = [np.random.default_rng(seed).normal(size=40) + event for seed in range(4)]
    parts = [part(event, score + 100 * place) for place, score in enumerate(scores)]  # folds on other scales
    told = joined(parts)
    assert told.auc == pytest.approx(np.mean([own.auc for own in parts]), abs=1e-12)
    assert told.auc_variance == pytest.approx(np.mean([own.auc_variance for own in parts]) / 4, abs=1e-12)
    estimate = site_auc(told)
    assert estimate.low is not None
    assert estimate.low < told.auc < estimate.high  # type: ignore[operator]
    assert told.risk
    assert told.risk.paired == Paired(auc=0.0005, brier=0.0001)
    assert told.risk.precision is None
    assert told.risk.calibration
    assert told.risk.calibration.slope_variance == pytest.approx(0.09 / 4)


def test_the_interval_covers_the_mean_of_the_models() -> None:
    """400 draws of five parts under models of one true AUC, .7602: 95 % within Monte-Carlo error."""
    rng, hits, truth = np.random.default_rng(5), 0, 0.76025  # of normal scores 1 apart: Phi(1 / sqrt 2)
    for _ in range(400):
        event = np.array([1.0] * 12 + [0.0] * 12)
        parts = []
        for place in range(5):
            areas = clustered_auc(event, (rng.normal(size=24) + event + place)[None], np.arange(24))
            parts.append(
                SiteFigures(
                    model="m",
                    role="internal",
                    n=24,
                    events=12,
                    auc=float(areas.auc[0]),
                    auc_variance=float(areas.covariance[0, 0]),
                )
            )
        found = site_auc(joined(parts))
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= truth <= found.high
    assert hits / 400 == pytest.approx(0.95, abs=0.035)


def test_withheld_parts_are_left_out_and_none_is_made_of_nothing() -> None:
    small = SiteFigures(model="m", role="internal", **EMPTY)
    told = joined([part(*drawn(1)), small, part(*drawn(2))])
    assert told.n == 80
    assert told.auc is not None
    assert joined([small, small]).reasons == {"all": "too few to report"}
    assert joined([part(*drawn(1)), small]).n == 40
