"""Can anybody solve for a small cell? An exact solver over all integer tables that one hospital releases in one study.

The unknowns are how many patients of each class (level of an ordinal outcome) have a score in each smallest interval
that the edges of all tables of a model cut; every released count is an equation. A cell whose least and largest
whole-number solution are the same, and below the hospital's minimum, has been released, whatever the tables look like.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import TypeAdapter
from scipy.optimize import Bounds, LinearConstraint, milp

from client import evaluation
from client.evaluation import Ward, model_figures
from client.site import Limits
from shared.metrics.scores import MIDDLE, WIDTH
from shared.metrics.threshold import CELLS, gathered
from shared.outcomes import Outcome
from shared.score_cells import ClassCells
from shared.wire import SiteFigures
from tests.small import agent_of, ask_counts, ask_figures, hospital, moved_model, small_study

LIMITS = Limits(max_epsilon=1.0)
LEVELS = ("a", "b", "c", "d")
OUTCOMES: TypeAdapter[Any] = TypeAdapter(Outcome)


@dataclass(frozen=True)
class Table:
    """Counts of some levels' patients between edges on the score; the outermost edges are infinite."""

    levels: tuple[int, ...]
    edges: tuple[float, ...]
    counts: tuple[int, ...]


def pinned(tables: Sequence[Table], levels: int, below: int) -> set[tuple[int, float, float, int]]:
    """(level, from, to, patients) of every interval of which one count is possible, from 1 to ``below`` - 1."""
    cuts = sorted({edge for table in tables for edge in table.edges})
    rows, counts = [], []
    for table in tables:
        for low, high, count in zip(table.edges, table.edges[1:], table.counts, strict=False):
            rows.append(np.concatenate([_range(cuts, low, high) * (level in table.levels) for level in range(levels)]))
            counts.append(count)
    matrix, known = np.array(rows), np.array(counts)
    open_ = ~(matrix[known == 0] > 0).any(axis=0)  # all others are zero
    ranges = {(low, high) for table in tables for low, high in zip(table.edges, table.edges[1:], strict=False)}
    ranges |= set(pairwise(cuts))
    found = set()
    for level in range(levels):
        for low, high in ranges:
            place = [np.zeros(len(cuts) - 1)] * levels
            place[level] = _range(cuts, low, high)
            asked = np.concatenate(place)[open_]
            if asked.any():
                least, most = (_solved(sign * asked, matrix[:, open_], known) * sign for sign in (1, -1))
                if least == most and 0 < least < below:
                    found.add((level, low, high, least))
    return found


def _range(cuts: Sequence[float], low: float, high: float) -> np.ndarray:
    return np.array([float(low <= start and end <= high) for start, end in pairwise(cuts)])


def _solved(asked: np.ndarray, matrix: np.ndarray, known: np.ndarray) -> int:
    """The least whole-number value of ``asked``."""
    answer = milp(asked, integrality=np.ones(len(asked)), bounds=Bounds(0, np.inf),
                  constraints=LinearConstraint(matrix, known, known))  # fmt: skip
    assert answer.success, "what was released contradicts itself"
    return round(answer.fun)


def edges_of(cells: ClassCells, shift: float) -> tuple[float, ...]:
    inner = [round((edge - MIDDLE) * WIDTH + shift, 9) for edge in cells.edges[1:-1]]
    return (-np.inf, *inner, np.inf)


def tables_of(figures: Sequence[SiteFigures], events: dict[str, tuple[int, ...]], shifts: dict[str, float],
              levels: int) -> list[Table]:  # fmt: skip
    """Everything countable in one model's figures: ``events`` has the levels that are an event to each question."""
    found = []
    for one in figures:
        yes = events[one.target]
        no = tuple(level for level in range(levels) if level not in yes)
        whole = (-np.inf, np.inf)
        if one.n is not None and one.events is not None:
            found += [Table(yes, whole, (one.events,)), Table(no, whole, (one.n - one.events,))]
        for own, cells in ((yes, one.event_cells), (no, one.other_cells)):
            if cells:
                found.append(Table(own, edges_of(cells, shifts[one.target]), cells.counts))
    return found


def binary(chance: np.random.Generator, patients: int) -> tuple[list[SiteFigures], np.ndarray, np.ndarray]:
    truth = (chance.random(patients) < 0.5).astype(np.float64)
    outcome = OUTCOMES.validate_python({"kind": "binary", "column": "ill", "positive": ("yes",), "negative": ("no",),
                                        "predicted_at": "admission"})  # fmt: skip
    ward = Ward(outcome, "internal", truth[:, None], np.arange(patients), LIMITS)
    scores = chance.normal(truth, 1.5)
    return model_figures("m", ward, scores[:, None], 0.0), truth, scores


@pytest.mark.parametrize("seed", range(4))
def test_no_small_cell_of_a_binary_outcome_can_be_solved_for(seed: int) -> None:
    chance = np.random.default_rng(seed)
    figures, *_ = binary(chance, int(chance.integers(30, 90)))
    tables = tables_of(figures, {"": (1,)}, {"": 0.0}, 2)
    assert seed or len(tables) == 4
    assert pinned(tables, 2, LIMITS.min_cell) == set()


def test_a_second_table_cut_elsewhere_is_found() -> None:
    """The solver can see: the same patients counted once more, at a cut between the second and the third of a class."""
    figures, truth, scores = binary(np.random.default_rng(1), 60)
    tables = tables_of(figures, {"": (1,)}, {"": 0.0}, 2)
    _, second, third = sorted(scores[truth == 1])[:3]
    cut, events = (second + third) / 2, int(truth.sum())
    leaked = Table((1,), (-np.inf, cut, np.inf), (2, events - 2))
    assert (1, -np.inf, cut, 2) in pinned([*tables, leaked], 2, LIMITS.min_cell)


@pytest.mark.parametrize("seed", range(4))
def test_no_small_cell_of_a_graded_outcome_can_be_solved_for(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its questions are nested and share one score: tables of two of them, subtracted, would count a single grade."""
    chance = np.random.default_rng(seed)
    patients = int(chance.integers(60, 160))
    severity = chance.normal(size=patients)
    level = np.digitize(severity + 0.5 * chance.normal(size=patients), [-0.6, 0.2, 0.9]).astype(np.float64)
    words = {name: (name,) for name in LEVELS}
    about = {"kind": "ordinal", "column": "grade", "classes": words, "predicted_at": "admission"}
    outcome = OUTCOMES.validate_python(about)
    biases = (0.8, 0.0, -1.0) if seed % 2 else (0.83, -0.04, -1.11)  # on the grid's steps, and off them
    ward = Ward(outcome, "internal", level[:, None], np.arange(patients), LIMITS)
    scores = 1.5 * severity[:, None] + np.array(biases)
    figures = model_figures("m", ward, scores, 0.0)
    names = [f"at-least-{name}" for name in LEVELS[1:]]
    events = {name: tuple(range(place, 4)) for place, name in enumerate(names, start=1)}
    shifts = dict(zip(names, [-bias for bias in biases], strict=True))
    tables = tables_of(figures, events, shifts, 4)
    assert len(tables) > 2
    assert sum(one.event_cells is not None for one in figures) <= 1
    assert pinned(tables, 4, LIMITS.min_cell) == set()
    if seed == 1:  # with the tables of all questions grades can be solved for: that is why only one of them leaves
        monkeypatch.setattr(evaluation, "_one_table", lambda figures: figures)
        leaky = model_figures("m", ward, scores, 0.0)
        assert pinned(tables_of(leaky, events, shifts, 4)[-6:], 4, LIMITS.min_cell)


def test_no_small_cell_of_all_that_a_hospital_tells_can_be_solved_for(tmp_path) -> None:
    """Its counts and the figures of every model, through the agent: all models see the same patients and classes."""
    study, site = small_study(tmp_path, 'privacy={mechanism="none"}'), hospital(tmp_path, open_to_all=True, patients=90)
    weights = {name: value.detach().numpy() for name, value in moved_model(study).named_parameters()}
    agent = agent_of(site)
    counts, figures = agent.answer(ask_counts(study)).header, agent.answer(ask_figures(study, weights)).header
    for role in ("internal", "train"):
        (cohort,) = [cohort for cohort in counts.cohorts if cohort.role == role]
        totals = []
        if cohort.events is not None:
            totals = [Table((1,), (-np.inf, np.inf), (cohort.events,)),
                      Table((0, 1), (-np.inf, np.inf), (cohort.n,))]  # fmt: skip
        for model in study.models:
            own = [one for one in figures.figures if one.model == model and one.role == role]
            assert pinned([*totals, *tables_of(own, {"": (1,)}, {"": 0.0}, 2)], 2, LIMITS.min_cell) == set()


@given(counts=arrays(np.float64, (2, CELLS), elements=st.integers(0, 12).map(float)), least=st.integers(1, 8))
def test_of_a_threshold_tally_no_small_cell_can_be_known(counts: np.ndarray, least: int) -> None:
    """What is released is a possible truth: whoever sees it cannot exclude that nothing was moved, so a cell that is
    certain has the released count, which is none or enough."""
    released = gathered(counts, least)
    np.testing.assert_array_equal(gathered(released, least), released)
    assert not ((released > 0) & (released < least)).any()
