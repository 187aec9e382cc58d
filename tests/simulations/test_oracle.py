"""The oracle is what the truth allows: its closed form against drawn patients, and its order over combinations."""

from typing import Any

import numpy as np
import pytest
from lifelines.utils import concordance_index
from sklearn.metrics import roc_auc_score

from shared.modalities.tabular import Categorical, Numeric, Tabular
from shared.outcomes import OUTCOMES as OUTCOMES_OF_STUDIES
from shared.outcomes.binary import Binary
from shared.outcomes.classes import Multiclass, Multilabel, Ordinal
from shared.outcomes.numbers import Forecast, Regression
from shared.outcomes.survival import Survival
from shared.simulated import Rows, Shift, Simulation
from shared.study import Study, Unit
from shared.study_file import load_study
from simulations.hospitals import oracle
from simulations.hospitals.columns import columns_of, draw, log_likelihood
from simulations.hospitals.oracle import concordance
from simulations.hospitals.severity import LAWS
from simulations.hospitals.truth import draw_rows, label

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


WORDS: dict[str, Any] = {"positive": ("yes",), "negative": ("no",), "predicted_at": "admission"}
GRADES: dict[str, Any] = {"column": "grade", "predicted_at": "admission"}
CLASSES = {"low": ("0",), "middle": ("1",), "high": ("2", "3")}
OUTCOMES: dict[str, Any] = {
    "binary": Binary(kind="binary", column="ill", **WORDS),
    "early-warning": Binary(kind="early-warning", column="ill", horizon=48.0, **WORDS),
    "multiclass": Multiclass(kind="multiclass", classes=CLASSES, **GRADES),
    "ordinal": Ordinal(kind="ordinal", classes=CLASSES, **GRADES),
    "multilabel": Multilabel(kind="multilabel", labels={"a": "has_a", "b": "has_b"}, **WORDS),
    "regression": Regression(kind="regression", column="level", range=(0.0, 100.0), predicted_at="now"),
    "forecast": Forecast(kind="forecast", horizons={"10": "l10", "20": "l20"}, range=(0.0, 9.0), predicted_at="now"),
    "survival": Survival(kind="survival", time="months", event="died", cuts=(12.0, 24.0), **WORDS),
}


def pictures(study: Study, kind: str) -> Study:
    """The study with another outcome, and its two modalities that are pictures."""
    assert study.simulation
    names = ("ct", "laryngoscopy")
    simulation = study.simulation.model_copy(
        update={"separation": {"ct": 1.0, "laryngoscopy": 1.4}, "shares": (0.2, 0.3, 0.5) if "cl" in kind else ()}
    )
    chosen = {name: study.modalities[name] for name in names}
    return study.model_copy(update={"outcome": OUTCOMES[kind], "modalities": chosen, "simulation": simulation})


def expected(kind: str, score: np.ndarray, truth: np.ndarray) -> float:
    """The figure of the best score, by other code than the oracle's."""
    if kind == "survival":
        return float(concordance_index(truth[:, 0], -score, truth[:, 1]))
    if kind in ("regression", "forecast"):
        return float(np.mean([np.corrcoef(score, column)[0, 1] ** 2 for column in truth.T]))
    if (
        kind == "multiclass"
    ):  # by the severity that a class lies around: the outer ones by the score, middle by nearness
        middle = -np.abs(score - np.quantile(score, 0.35))
        return float(np.mean([roc_auc_score(truth[:, 0] == k, s) for k, s in enumerate((-score, middle, score))]))
    columns = [truth[:, 0] > 0, truth[:, 0] > 1] if kind == "ordinal" else list(truth.T)
    return float(np.mean([roc_auc_score(column, score) for column in columns]))


def test_every_outcome_has_a_law() -> None:
    assert set(LAWS) == set(OUTCOMES_OF_STUDIES) == set(OUTCOMES)


@pytest.mark.parametrize("kind", OUTCOMES)
def test_of_every_outcome_the_oracle_is_what_the_best_score_of_drawn_patients_gives(study: Study, kind: str) -> None:
    of_kind = pictures(study, kind)
    simulation = of_kind.simulation
    assert simulation
    rows = [draw_rows(of_kind, simulation, "north", number)[0] for number in range(5000)]
    score = np.array([sum(simulation.separation[name] * row.latents[name] for name in row.latents) for row in rows])
    best = oracle(of_kind)["ct+laryngoscopy"]
    assert best == pytest.approx(expected(kind, score, np.array([row.truth for row in rows])), abs=0.025)


@pytest.mark.parametrize("kind", OUTCOMES)
def test_of_every_outcome_the_cells_are_read_back(study: Study, kind: str) -> None:
    of_kind = pictures(study, kind)
    assert of_kind.simulation
    for number in range(60):
        row = draw_rows(of_kind, of_kind.simulation, "north", number)[0]
        cells = label(of_kind, of_kind.simulation, (7, "north", number), row, "north")
        read = OUTCOMES[kind].read(cells)
        assert not isinstance(read, str)
        if kind not in ("regression", "forecast"):
            assert read == pytest.approx(tuple(row.truth), abs=0.01)
        else:
            assert read == pytest.approx(tuple(row.truth / OUTCOMES[kind].scale - 1), abs=0.01)


def test_survival_is_censored_as_often_as_declared(study: Study) -> None:
    of_kind = pictures(study, "survival")
    assert of_kind.simulation
    for share in (0.2, 0.7):
        simulation = of_kind.simulation.model_copy(update={"prevalence": share, "shift": Shift()})
        events = [draw_rows(of_kind, simulation, "north", number)[0].truth[1] for number in range(1500)]
        assert np.mean(events) == pytest.approx(share, abs=0.04)


def test_rows_of_a_patient_are_as_alike_as_declared(study: Study) -> None:
    several = study.model_copy(update={"unit": Unit(row="lesion")})
    assert several.simulation
    for alike in (0.0, 0.5, 1.0):
        simulation = several.simulation.model_copy(update={"rows": Rows(mean=3.0, alike=alike)})
        patients = [draw_rows(several, simulation, "north", number) for number in range(1200)]
        assert np.mean([len(rows) for rows in patients]) == pytest.approx(3.0, abs=0.15)
        same = np.mean([row.truth[0] == rows[0].truth[0] for rows in patients for row in rows[1:]])
        assert same == pytest.approx(0.5 + alike / 2, abs=0.03)
