"""The oracle is what the truth allows: its closed form against drawn patients, and its order over combinations."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from shared.modalities.tabular import Categorical, Numeric, Tabular
from shared.simulated import Simulation
from shared.study import Study
from shared.study_file import load_study
from simulations.hospitals import oracle
from simulations.hospitals.columns import columns_of, draw, log_likelihood
from simulations.hospitals.oracle import concordance
from simulations.hospitals.truth import draw_rows

ENDS = np.array([-0.5, 0.5])


@pytest.fixture(scope="module")
def study() -> Study:
    return load_study("lscc-staging")


def drawn(study: Study, patients: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Events and latents of patients as the hospitals draw them."""
    assert study.simulation
    rows = [draw_rows(study, study.simulation, "north", number)[0] for number in range(patients)]
    latents = {name: np.array([row.latents[name] for row in rows]) for name in study.modalities}
    return np.array([row.truth[0] for row in rows]), latents


def test_its_closed_form_is_what_drawn_patients_give(study: Study) -> None:
    assert study.simulation
    event, latents = drawn(study, 12_000)
    best = oracle(study)
    for model in ("ct", "laryngoscopy", "ct+laryngoscopy"):
        score = sum(study.simulation.separation[name] * latents[name] for name in model.split("+"))
        assert best[model] == pytest.approx(roc_auc_score(event, score), abs=0.012)  # three standard errors


def table(**categorical: Categorical) -> Tabular:
    numeric = {name: Numeric(range=(0.0, 100.0)) for name in ("a", "b", "c")}
    return Tabular(kind="tabular", numeric=numeric, categorical=categorical)


def auc_of(spec: Tabular, gap: float, **more: Any) -> float:
    simulation = Simulation.model_validate({"generator": "latent", "separation": {"t": gap}, **more})
    rng, event = np.random.default_rng(5), np.arange(60_000) % 2
    columns = columns_of(spec, simulation)
    logs = log_likelihood(columns, draw(columns, event - 0.5, gap, rng), gap, ENDS)
    return float(roc_auc_score(event, logs[:, 1] - logs[:, 0]))


def test_a_table_of_numbers_tells_its_separation_however_it_is_divided() -> None:
    expected = 0.8556  # Phi(1.5 / sqrt 2)
    assert auc_of(table(), 1.5) == pytest.approx(expected, abs=0.005)
    assert auc_of(table(), 1.5, columns={"a": {"weight": 9.0}}) == pytest.approx(expected, abs=0.005)


def test_words_tell_less_than_numbers() -> None:
    two = Categorical(values=("no", "yes"))
    numbers, mixed = auc_of(table(), 1.5), auc_of(table(d=two, e=two), 1.5)
    assert 0.80 < mixed < numbers - 0.01


def test_concordance_counts_comparable_pairs() -> None:
    time, event = np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, False, True, False])
    assert concordance(np.array([4.0, 3.0, 2.0, 1.0]), time, event) == 1.0
    assert concordance(np.array([1.0, 2.0, 3.0, 4.0]), time, event) == 0.0
    assert concordance(np.array([4.0, 9.0, 1.0, 2.0]), time, event) == pytest.approx(2 / 4)


def test_the_sections_shape_is_kept_by_a_study_file(study: Study) -> None:
    assert study.simulation
    assert Simulation.model_validate_json(study.simulation.model_dump_json()) == study.simulation
