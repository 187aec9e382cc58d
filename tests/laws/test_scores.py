"""Laws of score tallies: no small cell leaves, no patient is lost, and curves are curves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.metrics.delong import auc_with_variance
from shared.metrics.scores import BINS, ScoreTally, edge_order
from shared.metrics.tally import Floats

CELL = st.integers(0, 3) | st.integers(0, 40)
COUNTS = st.lists(st.tuples(st.integers(0, BINS - 1), CELL, CELL), max_size=25)
Counts = list[tuple[int, int, int]]


def tally(counts: Counts) -> ScoreTally:
    events, others = [0] * BINS, [0] * BINS
    for place, event, other in counts:
        events[place], others[place] = event, other
    return ScoreTally(tuple(range(BINS + 1)), tuple(events), tuple(others))


def sample(n: int, seed: int, gap: float = 1.5) -> tuple[Floats, Floats]:
    chance = np.random.default_rng(seed)
    outcome = (np.arange(n) % 3 == 0).astype(np.float64)
    return outcome, chance.normal(size=n) + gap * outcome


def test_every_inner_edge_is_tried_once_and_the_middle_first() -> None:
    order = edge_order(BINS)
    assert sorted(order) == list(range(1, BINS))
    assert order[0] == BINS // 2


@given(counts=COUNTS, min_cell=st.integers(1, 12))
def test_a_merged_tally_has_no_small_cell_and_loses_nobody(counts: Counts, min_cell: int) -> None:
    whole = tally(counts)
    merged = whole.merged(min_cell)
    for before, after in ((whole.events, merged.events), (whole.others, merged.others)):
        assert sum(after) == sum(before)
        if sum(before) == 0 or sum(before) >= min_cell:
            assert not [count for count in after if 0 < count < min_cell]
        else:
            assert [count for count in after if count] == [sum(before)]  # one cell, and the class is too small
    assert (merged.edges[0], merged.edges[-1]) == (0, BINS)
    assert merged.merged(min_cell) == merged


@given(counts=COUNTS)
def test_merging_with_no_minimum_changes_nothing(counts: Counts) -> None:
    assert tally(counts).merged(1) == tally(counts)


@given(counts=COUNTS, min_cell=st.integers(1, 12))
def test_a_merged_tally_is_as_fine_as_it_can_be(counts: Counts, min_cell: int) -> None:
    """No edge that was left out could be put back without a small cell."""
    whole = tally(counts)
    kept = whole.merged(min_cell).edges
    for edge in set(whole.edges) - set(kept):
        finer = whole.coarsened(sorted({*kept, edge}))
        assert any(0 < count < min_cell for count in (*finer.events, *finer.others))


@given(a=COUNTS, b=COUNTS, c=COUNTS, min_cell=st.integers(1, 12))
def test_sites_merge_by_themselves_and_are_added_on_common_cells(
    a: Counts, b: Counts, c: Counts, min_cell: int
) -> None:
    sites = [tally(counts).merged(min_cell) for counts in (a, b, c)]
    total = sites[0] + sites[1] + sites[2]
    assert total == sites[2] + sites[1] + sites[0]
    assert set(total.edges) == set.intersection(*(set(site.edges) for site in sites))
    full = tally(a) + tally(b) + tally(c)
    assert total == full.coarsened(total.edges)


@given(counts=COUNTS)
def test_a_roc_curve_rises_from_corner_to_corner(counts: Counts) -> None:
    whole = tally(counts)
    curve = whole.roc()
    if not (sum(whole.events) and sum(whole.others)):
        assert curve is None
        return
    assert curve is not None
    for rates in curve:
        assert rates[0] == 0
        assert rates[-1] == pytest.approx(1, abs=1e-12)
        assert np.all(np.diff(rates) >= 0)
    area = float(np.trapezoid(curve[1], curve[0]))
    figures = whole.auc_with_variance()
    assert (figures is None) == (min(sum(whole.events), sum(whole.others)) < 2)
    if figures:
        assert figures[0] == pytest.approx(area, abs=1e-9)
        assert figures[1] >= 0


@given(counts=COUNTS)
def test_a_tallys_auc_is_the_auc_of_its_binned_scores(counts: Counts) -> None:
    whole = tally(counts)
    figures = whole.auc_with_variance()
    if figures:
        places = np.arange(BINS, dtype=np.float64)
        score = np.concatenate([np.repeat(places, whole.events), np.repeat(places, whole.others)])
        outcome = np.concatenate([np.ones(sum(whole.events)), np.zeros(sum(whole.others))])
        assert figures == pytest.approx(auc_with_variance(outcome, score), abs=1e-9)


@pytest.mark.parametrize("n", [100, 500])
def test_the_binned_auc_is_close_to_the_exact_one(n: int) -> None:
    errors = []
    for seed in range(40):
        outcome, score = sample(n, seed)
        binned = ScoreTally.of(outcome, score).auc_with_variance()
        assert binned is not None
        errors.append(abs(binned[0] - auc_with_variance(outcome, score)[0]))
    assert np.mean(errors) < 0.004
    assert max(errors) < 0.012


def test_scores_beyond_the_grid_count_at_its_ends() -> None:
    score = np.array([-np.inf, -1e300, -10.0, 0.0, 9.999, 10.0, 1e300, np.inf])
    counted = ScoreTally.of(np.ones(8), score)
    assert (counted.events[0], counted.events[BINS // 2], counted.events[-1]) == (3, 1, 4)
