"""A line from cells is the line from patients, and noise does not pull it to one side."""

import numpy as np
import pytest

from server.cuts import cuts_from
from shared.metrics.calibration import in_the_large, slope
from shared.metrics.recalibration import CENTRES, recalibrated
from shared.metrics.threshold import CELLS, threshold_counts
from tests.small import small_study

OPEN = 'privacy={mechanism="none"}'


def drawn(patients: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Outcome and log odds whose right line is -1.5 + 0.8 x."""
    chance = np.random.default_rng(seed)
    odds = chance.normal(0, 1.5, patients)
    event = chance.random(patients) < 1 / (1 + np.exp(1.5 - 0.8 * odds))
    return event.astype(np.float64), odds


def tally(event: np.ndarray, odds: np.ndarray) -> np.ndarray:
    return threshold_counts(event, odds, np.ones(len(odds)))


def test_of_scores_at_the_cells_centres_it_is_the_patients_own_line() -> None:
    event, odds = drawn(500)
    centred = CENTRES[np.digitize(odds, (CENTRES[1:] + CENTRES[:-1]) / 2)]
    counts = tally(event, centred)
    assert counts.shape == (2, CELLS)
    whole, large = slope([(event, centred)]), in_the_large([(event, centred)])
    assert whole is not None
    assert large is not None
    assert recalibrated(counts, True) == pytest.approx(tuple(whole.coefficients), abs=1e-6)
    assert recalibrated(counts, False) == (pytest.approx(large.coefficients[0], abs=1e-6), 1.0)


def test_cells_are_narrow_enough() -> None:
    assert recalibrated(tally(*drawn(200_000)), True) == pytest.approx((-1.5, 0.8), abs=0.03)


def test_noise_has_no_side() -> None:
    """Mean over draws of noise as large as the cells: within its own error of the line without noise."""
    counts, chance = tally(*drawn(1000)), np.random.default_rng(5)
    found = [recalibrated(counts + chance.normal(0, 10, counts.shape), False) for _ in range(400)]
    lines = np.array([line[0] for line in found if line])
    assert len(lines) == 400
    exact = recalibrated(counts, False)
    assert exact is not None
    assert abs(lines.mean() - exact[0]) < 4 * lines.std() / 20 + 0.01


def test_where_there_is_no_line_there_is_none(tmp_path) -> None:
    event, odds = drawn(300)
    study = small_study(tmp_path, OPEN, 'training.recalibrate="intercept-slope"')
    turned = cuts_from(study, ("clinical",), {"clinical": tally(event, -odds)}).recalibration["clinical"]
    assert turned == recalibrated(tally(event, -odds), False)  # the intercept at least
    assert recalibrated(tally(event, -odds), True) is None  # more risk told as less
    assert recalibrated(np.zeros((2, CELLS)), True) is None
    apart = np.zeros((2, CELLS))
    apart[0, 3], apart[1, 14] = 30, 30
    assert recalibrated(apart, True) is None  # separated: no finite line
    assert recalibrated(-np.ones((2, CELLS)), False) is None


def test_a_chosen_threshold_moves_with_the_line_and_a_declared_one_does_not(tmp_path) -> None:
    counts = {"clinical": tally(*drawn(500))}
    plain, asked = (small_study(tmp_path, OPEN, *more) for more in ((), ('training.recalibrate="intercept-slope"',)))
    before, after = (cuts_from(study, ("clinical", "blood"), counts) for study in (plain, asked))
    intercept, factor = after.recalibration["clinical"]
    assert before.thresholds["clinical"] is not None
    assert after.thresholds["clinical"] == pytest.approx(intercept + factor * before.thresholds["clinical"])
    assert after.thresholds["blood"] is None
    assert "blood" not in after.recalibration
    assert len(after.notes) == 2
    declared = small_study(
        tmp_path, OPEN, 'training.recalibrate="intercept"', 'evaluation.threshold={rule="declared",value=0.2}'
    )
    assert cuts_from(declared, ("clinical",), counts).thresholds["clinical"] == pytest.approx(np.log(0.25))
