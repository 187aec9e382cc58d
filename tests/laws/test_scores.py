"""Laws of score tallies: no small cell leaves, no patient is lost, and the decision table is a part of the curve."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.metrics.cells import BINS, Cells, edge_order
from shared.metrics.classification import ConfusionTally
from shared.metrics.delong import auc_with_variance
from shared.metrics.scores import MIDDLE, WIDTH, ScoreTally
from shared.metrics.tally import Floats

CELL = st.integers(0, 3) | st.integers(0, 40)
COUNTS = st.lists(st.tuples(st.integers(0, BINS - 1), CELL, CELL), max_size=25)
NEAR = st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 1e-18, -1e-18, WIDTH, -WIDTH])  # of the threshold
PATIENTS = st.lists(st.tuples(st.integers(0, 1), st.floats(-12, 12) | NEAR), max_size=60)
Counts = list[tuple[int, int, int]]


def tally(counts: Counts) -> ScoreTally:
    events, others = [0] * BINS, [0] * BINS
    for place, event, other in counts:
        events[place], others[place] = event, other
    grid = tuple(range(BINS + 1))
    return ScoreTally(Cells(grid, tuple(events)), Cells(grid, tuple(others)))


def classes(whole: ScoreTally) -> tuple[Cells, Cells]:
    return whole.events, whole.others


def sample(n: int, seed: int, gap: float = 1.5) -> tuple[Floats, Floats]:
    chance = np.random.default_rng(seed)
    outcome = (np.arange(n) % 3 == 0).astype(np.float64)
    return outcome, chance.normal(size=n) + gap * outcome


def test_every_inner_edge_is_tried_once_and_the_middle_first() -> None:
    order = edge_order(BINS)
    assert sorted(order) == list(range(1, BINS))
    assert order[0] == MIDDLE == BINS / 2


@given(counts=COUNTS, min_cell=st.integers(1, 12))
def test_a_merged_tally_has_no_small_cell_and_loses_nobody(counts: Counts, min_cell: int) -> None:
    whole = tally(counts)
    merged = whole.merged(min_cell)
    for before, after in zip(classes(whole), classes(merged), strict=True):
        assert after.total == before.total == sum(after.counts)
        if before.total == 0 or before.total >= min_cell:
            assert not [count for count in after.counts if 0 < count < min_cell]
        else:
            assert [count for count in after.counts if count] == [before.total]  # one cell: the class is too small
        assert (after.edges[0], after.edges[-1]) == (0, BINS)
    assert merged.merged(min_cell) == merged


@given(counts=COUNTS)
def test_merging_with_no_minimum_changes_nothing(counts: Counts) -> None:
    assert tally(counts).merged(1) == tally(counts)


@given(counts=COUNTS, min_cell=st.integers(1, 12))
def test_a_merged_tally_is_as_fine_as_it_can_be(counts: Counts, min_cell: int) -> None:
    """No edge that was left out could be put back without a small cell."""
    for whole in classes(tally(counts)):
        kept = whole.merged(min_cell).edges
        for edge in set(whole.edges) - set(kept):
            finer = whole.coarsened(sorted({*kept, edge}))
            assert any(0 < count < min_cell for count in finer.counts)


@given(a=COUNTS, b=COUNTS, min_cell=st.integers(1, 12))
def test_a_class_merges_by_itself(a: Counts, b: Counts, min_cell: int) -> None:
    """The cells of one class tell nothing of the other."""
    merged = ScoreTally(tally(a).events, tally(b).others).merged(min_cell)
    assert merged == ScoreTally(tally(a).merged(min_cell).events, tally(b).merged(min_cell).others)


@given(a=COUNTS, b=COUNTS, c=COUNTS, min_cell=st.integers(1, 12))
def test_sites_merge_by_themselves_and_are_added_on_common_cells(
    a: Counts, b: Counts, c: Counts, min_cell: int
) -> None:
    sites = [tally(counts).merged(min_cell) for counts in (a, b, c)]
    total = sites[0] + sites[1] + sites[2]
    assert total == sites[2] + sites[1] + sites[0]
    full = tally(a) + tally(b) + tally(c)
    for own, all_of_it, parts in zip(
        classes(total), classes(full), zip(*map(classes, sites), strict=True), strict=True
    ):
        assert set(own.edges) == set.intersection(*(set(part.edges) for part in parts))
        assert own == all_of_it.coarsened(own.edges)


@given(patients=PATIENTS, min_cell=st.integers(1, 12))
def test_the_table_at_the_threshold_is_that_of_the_scores_or_is_not_told(
    patients: list[tuple[int, float]], min_cell: int
) -> None:
    outcome, score = (np.array([row[place] for row in patients], dtype=np.float64) for place in (0, 1))
    truth, whole = ConfusionTally.of(outcome, score), ScoreTally.of(outcome, score)
    exact = (
        (truth.true_positives, truth.false_negatives),
        (truth.true_negatives, truth.false_positives),
    )
    assert whole.decisions() == exact
    for told, table in zip(whole.merged(min_cell).decisions(), exact, strict=True):
        assert told == (None if any(0 < count < min_cell for count in table) else table)


@given(counts=COUNTS, min_cell=st.integers(1, 12))
def test_spreading_over_finer_cells_loses_nobody(counts: Counts, min_cell: int) -> None:
    merged = tally(counts).merged(min_cell)
    fine = merged.spread(range(BINS + 1))
    for coarse, spread in zip(classes(merged), classes(fine), strict=True):
        assert spread.edges == tuple(range(BINS + 1))
        assert spread.coarsened(coarse.edges).counts == pytest.approx(coarse.counts, abs=1e-9)
    assert set(merged.edges) == {*merged.events.edges, *merged.others.edges}
    assert merged.bins == min(sum(count > 0 for count in cells.counts) for cells in classes(merged))


@given(counts=COUNTS, min_cell=st.integers(1, 12))
def test_a_roc_curve_rises_from_corner_to_corner(counts: Counts, min_cell: int) -> None:
    merged = tally(counts).merged(min_cell)
    curve = merged.roc()
    if not (merged.events.total and merged.others.total):
        assert curve is None
        assert merged.auc() is None
        return
    assert curve is not None
    for rates in curve:
        assert rates[0] == 0
        assert rates[-1] == pytest.approx(1, abs=1e-12)
        assert np.all(np.diff(rates) >= -1e-12)
    assert merged.auc() == pytest.approx(float(np.trapezoid(curve[1], curve[0])), abs=1e-12)


@given(counts=COUNTS)
def test_a_tallys_auc_is_the_auc_of_its_binned_scores(counts: Counts) -> None:
    whole = tally(counts)
    if min(whole.events.total, whole.others.total) < 2:
        return
    places = np.arange(BINS, dtype=np.float64)
    score = np.concatenate([np.repeat(places, np.array(cells.counts, dtype=int)) for cells in classes(whole)])
    outcome = np.repeat([1.0, 0.0], [int(whole.events.total), int(whole.others.total)])
    assert whole.auc() == pytest.approx(auc_with_variance(outcome, score)[0], abs=1e-9)


@pytest.mark.parametrize("n", [100, 500])
def test_the_binned_auc_is_close_to_the_exact_one(n: int) -> None:
    errors = []
    for seed in range(40):
        outcome, score = sample(n, seed)
        binned = ScoreTally.of(outcome, score).auc()
        assert binned is not None
        errors.append(abs(binned - auc_with_variance(outcome, score)[0]))
    assert np.mean(errors) < 0.004
    assert max(errors) < 0.012


def test_scores_beyond_the_grid_count_at_its_ends() -> None:
    score = np.array([-np.inf, -1e300, -10.0, 0.0, 9.999, 10.0, 1e300, np.inf])
    counted = ScoreTally.of(np.ones(8), score).events.counts
    assert (counted[0], counted[MIDDLE], counted[-1]) == (3, 1, 4)
