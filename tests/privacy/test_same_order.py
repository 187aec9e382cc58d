"""Two models that put patients in one order: their tables, subtracted, would count the few between two edges."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.evaluation import Ward, model_figures
from client.gatekeeper import check_outgoing
from client.same_order import one_table_an_order, same_order
from client.site import Limits
from shared.errors import PrivacyRefusal
from shared.outcomes.binary import Binary
from shared.wire import Evaluated, SiteFigures
from tests.privacy.test_portrait import SITE, STUDY, answer
from tests.privacy.test_solver import pinned, tables_of
from tests.small import agent_of, ask_figures, hospital, moved_model, small_study

LIMITS = Limits(max_epsilon=1.0)
OUTCOME = Binary(kind="binary", column="ill", positive=("yes",), negative=("no",), predicted_at="admission")


@given(pairs=st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=2, max_size=8))
def test_one_order_is_that_no_two_patients_are_turned_round(pairs: list[tuple[int, int]]) -> None:
    first, second = (np.array(side, dtype=np.float64) for side in zip(*pairs, strict=True))
    products = {np.sign((a - c) * (b - d)) for a, b in pairs for c, d in pairs}
    constant = len(set(first)) == 1 or len(set(second)) == 1
    assert same_order(first, second) == (not constant and not {-1, 1} <= products)
    assert same_order(first, second) == same_order(second, first)


def told(shift: float, scale: float, seed: int) -> tuple[list[SiteFigures], dict[str, np.ndarray]]:
    """Figures of two models whose scores differ by a line; the edges of the second lie between those of the first."""
    chance = np.random.default_rng(seed)
    truth = (chance.random(80) < 0.5).astype(np.float64)
    ward = Ward(OUTCOME, "internal", truth[:, None], np.arange(80), LIMITS)
    scores = {"a": chance.normal(truth, 1.5)[:, None]}
    scores["a+b"] = scale * scores["a"] + shift
    figures = [own for name, score in scores.items() for own in model_figures(name, ward, score, 0.0)]
    return [*figures, *one_table_an_order(figures, ward, scores, "a+b")], scores


@pytest.mark.parametrize("seed", range(3))
def test_a_second_table_of_one_order_shows_few_patients_and_is_not_told(seed: int) -> None:
    (first, second, kept_first, kept_second), _ = told(0.07, 1.0, seed)
    both = [*tables_of([first], {"": (1,)}, {"": 0.0}, 2), *tables_of([second], {"": (1,)}, {"": -0.07}, 2)]
    assert pinned(both, 2, LIMITS.min_cell), "subtracted, they do count few patients"
    assert kept_first.event_cells is None
    assert kept_first.reasons["cells"].startswith("same order of these patients as in a+b")
    assert (kept_first.auc, kept_second) == (first.auc, second)
    left = [*tables_of([kept_first], {"": (1,)}, {"": 0.0}, 2), *tables_of([kept_second], {"": (1,)}, {"": -0.07}, 2)]
    assert pinned(left, 2, LIMITS.min_cell) == set()


def test_a_falling_order_is_the_same() -> None:
    (*_, kept_first, kept_second), _ = told(0.0, -2.0, 0)
    assert (kept_first.event_cells is None, kept_second.event_cells is None) == (True, False)


def test_a_hospital_that_lacks_a_modality_tells_one_table(tmp_path: Path) -> None:
    """Without blood values the fused model is the clinical one but for a line."""
    study = small_study(tmp_path, 'fusion.kind="late"', 'sites.south={patients=40, lacks=["blood"]}')
    site = hospital(tmp_path, "south", patients=120)
    table = site.data / "patients.csv"
    rows = list(csv.DictReader(table.read_text().splitlines()))
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows({**row, "crp": "", "hb": ""} for row in rows)
    weights = {name: value.detach().numpy() for name, value in moved_model(study).named_parameters()}
    header = agent_of(site).answer(ask_figures(study, weights)).header
    assert isinstance(header, Evaluated)
    found = {own.model: own for own in header.figures}
    assert found["clinical"].auc == found["clinical+blood"].auc
    assert found["clinical"].event_cells is None
    assert found["clinical"].reasons["cells"].startswith("same order")
    assert found["clinical+blood"].event_cells is not None


def test_patients_are_described_in_one_run_of_a_fold(tmp_path: Path) -> None:
    """Another arm's threshold makes other risk groups of the same patients."""
    study, site = small_study(tmp_path, 'arms.run=["alone", "federated"]'), hospital(tmp_path, "south", patients=60)
    agent, described = agent_of(site), {}
    for arm in ("alone:north", "federated", "alone:west"):
        task = ask_figures(study)
        run = task.header.run.model_copy(update={"arm": arm})
        header = agent.answer(type(task)(task.header.model_copy(update={"run": run}), task.arrays)).header
        assert isinstance(header, Evaluated), header
        described[arm] = [own.role for own in header.portraits]
    assert described == {"alone:north": [], "federated": ["external"], "alone:west": []}


def test_the_gate_holds_descriptions_to_that_run(tmp_path: Path) -> None:
    check_outgoing(answer(), SITE, None, STUDY, "federated")
    with pytest.raises(PrivacyRefusal, match="of this run"):
        check_outgoing(answer(), SITE, None, STUDY, "alone:north")
