"""Resampling balances the training patients of one hospital, and is refused where a patient must stay one record."""

from pathlib import Path

import pytest
import torch

from client.agent.desk import Desk
from client.archive import Archive
from client.resampling import RESAMPLERS, resampled
from shared.batch import Batch
from shared.errors import StudyError
from shared.study import Study
from tests.small import hospital, random_batch, run_of, small_study

OPEN = 'privacy={mechanism="none"}'
SIZES = {"smote": 32, "smote-nc": 32, "cluster-centroids": 8, "smote-nc-centroids": 20}  # of 8 and 32


def rare(study: Study) -> Batch:
    """Forty patients of whom eight had the event, the event in the first input."""
    batch = random_batch(study, 40)
    truth = torch.tensor([[float(number % 5 == 0)] for number in range(40)])
    batch.inputs["clinical"][:, 0] = truth[:, 0] * 4 + 0.1 * batch.inputs["clinical"][:, 0]
    return Batch(batch.inputs, batch.present, truth)


@pytest.mark.parametrize("kind", RESAMPLERS)
def test_classes_are_balanced_and_patients_plausible(kind: str, tmp_path: Path) -> None:
    study = small_study(tmp_path, OPEN, f'training.resample="{kind}"')
    before = rare(study)
    after = resampled(study, before)
    events = after.outcome[:, 0] == 1
    assert int(events.sum()) == int((~events).sum()) == SIZES[kind]
    assert {name: values.shape[1:] for name, values in after.inputs.items()} == {
        name: values.shape[1:] for name, values in before.inputs.items()
    }
    there = after.present["clinical"]
    assert (after.inputs["clinical"][events & there, 0] > 3).all()
    assert (after.inputs["clinical"][~events & there, 0] < 1).all()
    for name, mask in after.present.items():
        assert not after.inputs[name][~mask].any()
    again = resampled(study, rare(study))
    assert all(torch.equal(again.inputs[name], after.inputs[name]) for name in after.inputs)


def test_classes_of_one_size_stay_as_they_are(tmp_path: Path) -> None:
    study = small_study(tmp_path, OPEN, 'training.resample="smote-nc-centroids"')
    batch = rare(study)
    batch.outcome[:, 0] = torch.arange(40) % 2
    events = resampled(study, batch).outcome[:, 0]
    assert int(events.sum()) == int((1 - events).sum()) == 20


def test_without_a_request_or_without_a_second_class_nothing_changes(tmp_path: Path) -> None:
    plain, asked = small_study(tmp_path, OPEN), small_study(tmp_path, OPEN, 'training.resample="smote"')
    batch = rare(plain)
    assert resampled(plain, batch) is batch
    healthy = Batch(batch.inputs, batch.present, torch.zeros(40, 1))
    assert resampled(asked, healthy) is healthy


def test_a_hospital_balances_its_patients_once_for_all_rounds(tmp_path: Path) -> None:
    study = small_study(tmp_path, OPEN, 'training.resample="smote"')
    site = hospital(tmp_path, open_to_all=True)
    desk = Desk(Archive(site), site, study, run_of(study))
    balanced = desk.learned()
    assert desk.learned() is balanced
    assert 0 < 2 * int(balanced.outcome.sum()) == len(balanced.outcome)


def test_it_is_refused_under_privacy_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="breaks the unit of privacy"):
        small_study(tmp_path, 'training.resample="smote"')
