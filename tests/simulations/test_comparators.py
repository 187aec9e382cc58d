"""Comparators learn what can be learned, under the same minimums, and are refused where they would be federated."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from server.record import RunRecord, load_records
from server.validation.rows import metric_rows
from shared.batch import Batch
from shared.boosting import features
from shared.errors import StudyError
from shared.learners import Comparator
from shared.outcomes.classes import Multiclass
from shared.study import Study
from shared.wire import SiteFigures
from simulations.arms import Hooks, open_consortium, run_arms
from simulations.comparators import COMPARATORS
from simulations.comparators.fit import fitted, scores
from simulations.comparators.run import compared
from tests.small import SITES, hospital, random_batch, small_study


def separable(study: Study, seed: int, patients: int = 300) -> Batch:
    """Patients whose outcome shows in both modalities, each with noise; a third lacks one."""
    batch = random_batch(study, patients, seed)
    event = batch.outcome[:, 0]
    for values in batch.inputs.values():
        values[:, 0] += 2.0 * event
    return batch


@pytest.mark.parametrize("kind", COMPARATORS)
def test_each_learns_and_scores_on_the_log_odds(kind: str, tmp_path: Path) -> None:
    study = small_study(tmp_path)
    choice = Comparator(kind=kind, modalities=("clinical", "blood"))  # type: ignore[arg-type]
    machine = fitted(study, choice, separable(study, 1))
    fresh = separable(study, 2)
    found = scores(study, choice, machine, fresh)
    assert found.shape == (300, 1)
    assert np.isfinite(found).all()
    assert roc_auc_score(fresh.outcome[:, 0].numpy(), found[:, 0]) > 0.85
    again = scores(study, choice, fitted(study, choice, separable(study, 1)), fresh)
    np.testing.assert_allclose(again, found)


@pytest.mark.parametrize("kind", COMPARATORS)
def test_several_classes_have_a_score_each(kind: str, tmp_path: Path) -> None:
    classes = {"a": ("1",), "b": ("2",), "c": ("3",)}
    outcome = Multiclass(kind="multiclass", column="ill", predicted_at="now", classes=classes)
    multiclass = small_study(tmp_path).model_copy(update={"outcome": outcome})
    batch = random_batch(multiclass, 240)
    batch.inputs["clinical"][:, 1] += 3 * batch.outcome[:, 0]
    choice = Comparator(kind=kind, modalities=("clinical",))  # type: ignore[arg-type]
    there = batch.pick(batch.present["clinical"])
    found = scores(multiclass, choice, fitted(multiclass, choice, there), there)
    assert found.shape == (len(there), 3)
    assert (found.argmax(axis=1) == there.outcome[:, 0].numpy()).mean() > 0.8


def test_one_class_teaches_nothing(tmp_path: Path) -> None:
    study = small_study(tmp_path)
    batch = separable(study, 1)
    healthy = Batch(batch.inputs, batch.present, torch.zeros_like(batch.outcome))
    assert fitted(study, Comparator(kind="lightgbm", modalities=("clinical",)), healthy) is None


def test_what_is_absent_is_zeros_and_a_column_of_its_own(tmp_path: Path) -> None:
    study = small_study(tmp_path)
    batch = separable(study, 1)
    rows, columns = features(("clinical", "blood"), batch)
    absent = ~batch.present["blood"].numpy()
    assert absent.any()
    assert not rows[absent][:, columns[1]].any()
    assert rows[~absent][:, columns[1].stop - 1].all()


def test_a_federated_request_is_refused_with_the_reason(tmp_path: Path) -> None:
    wish = 'comparators={near={kind="knn-lasso",modalities=["clinical"],arms=["federated"]}}'
    with pytest.raises(StudyError, match=r"made of patients .* so it cannot be federated"):
        small_study(tmp_path, wish)
    with pytest.raises(StudyError, match='"ct" is not under'):
        small_study(tmp_path, 'comparators={near={kind="knn-lasso",modalities=["ct"]}}')


def test_they_stand_beside_the_models_of_their_arms(tmp_path: Path) -> None:
    """Over hospitals on the disk: figures of the arms asked for, under the hospitals' minimums, with a threshold."""
    wish = 'comparators={trees={kind="lightgbm",modalities=["clinical","blood"],arms=["pooled"]}}'
    study = small_study(tmp_path, 'privacy={mechanism="none"}', 'arms.run=["federated","pooled"]', wish)
    for name in SITES:
        hospital(tmp_path / "data", name, open_to_all=True, patients=120)
    consortium = open_consortium(study, tmp_path / "data", tmp_path / "state")
    run_arms(study, consortium, tmp_path / "run", Hooks())
    records = {
        record.run.arm: record for record in compared(study, consortium.archives, load_records(tmp_path / "run"))
    }
    told = {arm: [own for own in by_site(record) if own.model == "trees"] for arm, record in records.items()}
    assert not told["federated"]
    assert {(own.role, own.auc is not None) for own in told["pooled"]} >= {("external", True)}
    assert records["pooled"].thresholds["trees"] is not None
    rows = [row for record in records.values() for row in metric_rows(study, record) if row.model == "trees"]
    external = [row for row in rows if (row.cohort, row.metric, row.site) == ("external", "auc", "south")]
    assert [row.arm for row in external] == ["pooled"]
    assert external[0].estimate > 0.6  # type: ignore[operator]


def by_site(record: RunRecord) -> list[SiteFigures]:
    return [own for figures in record.figures.values() for own in figures]
