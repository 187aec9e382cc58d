"""Laws of the threshold's tallies: nobody is lost, no small cell leaves, and the cut is the best one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared.metrics.classification import ConfusionTally
from shared.metrics.tally import Floats
from shared.metrics.threshold import CELLS, CUTS, gathered, threshold_counts, youden

ROW = st.lists(st.integers(0, 9), min_size=CELLS, max_size=CELLS)
PATIENTS = st.lists(st.tuples(st.integers(0, 1), st.floats(-6, 6)), min_size=1, max_size=60)


def counts(others: list[int], events: list[int]) -> Floats:
    return np.array([others, events], dtype=np.float64)


@given(others=ROW, events=ROW, min_cell=st.integers(1, 30))
def test_gathering_keeps_totals_and_leaves_no_small_cell(others: list[int], events: list[int], min_cell: int) -> None:
    before = counts(others, events)
    copy = before.copy()
    after = gathered(before, min_cell)
    assert np.array_equal(before, copy)
    assert not np.any((after > 0) & (after < min_cell))
    for row, total in zip(after, before.sum(axis=1), strict=True):
        assert row.sum() == (total if total >= min_cell else 0)


@given(others=ROW, events=ROW)
def test_gathering_changes_nothing_that_may_be_told(others: list[int], events: list[int]) -> None:
    large = counts([7 * n for n in others], [7 * n for n in events])
    assert np.array_equal(gathered(large, 7), large)


@given(patients=PATIENTS)
def test_every_patient_is_counted_once_in_the_cell_of_his_score(patients: list[tuple[int, float]]) -> None:
    outcome, score = (np.array(column, dtype=np.float64) for column in zip(*patients, strict=True))
    table = threshold_counts(outcome, score, np.ones(len(score)))
    assert table.shape == (2, CELLS)
    assert table.sum(axis=1).tolist() == [np.sum(outcome == 0), np.sum(outcome == 1)]
    for place, cut in enumerate(CUTS):
        assert table[1, : place + 1].sum() == np.sum((outcome == 1) & (score < cut))


@given(patients=PATIENTS)
def test_the_cut_is_the_best_by_trying_all_of_them(patients: list[tuple[int, float]]) -> None:
    outcome, score = (np.array(column, dtype=np.float64) for column in zip(*patients, strict=True))
    found = youden(threshold_counts(outcome, score, np.ones(len(score))))
    if len(set(outcome.tolist())) < 2:
        assert found is None
        return
    gains = {}
    for cut in CUTS.tolist():
        tp, fp, tn, fn = ConfusionTally.of(outcome, score - cut).cells
        gains[cut] = tp / (tp + fn) + tn / (tn + fp)
    best = max(gains.values())
    assert found is not None
    assert gains[found] > best - 1e-9
    assert abs(found) == min(abs(cut) for cut, gain in gains.items() if gain > best - 1e-9)


def test_noise_that_leaves_no_patients_of_a_class_gives_no_cut() -> None:
    assert youden(counts([5] * CELLS, [0] * CELLS)) is None
    assert youden(counts([-1] * CELLS, [5] * CELLS)) is None
