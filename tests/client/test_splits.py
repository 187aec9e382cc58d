"""The internal cohort: fixed once, one role a patient in any order of the table, refused if patients changed."""

import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from client.cohort import Cohort, Unit
from client.splits import planned_roles, roles
from shared.cohorts import folds
from shared.errors import SiteError
from shared.study import Study
from tests.small import small_study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return small_study(tmp_path)


def _cohort(n: int = 40, events: int = 16) -> Cohort:
    units = tuple(Unit(f"SECRET-{number}", f"SECRET-{number}", number + 2, {}) for number in range(n))
    truth = np.array([[number < events] for number in range(n)], dtype=np.float32)
    return Cohort(units, truth, {}, {}, {}, ())


def _roles(cohort: Cohort, study: Study, state: Path, site: str = "north") -> list[str]:
    return roles(cohort, study, folds(study)[0], site, state)


def _file(state: Path) -> Path:
    (path,) = (state / "splits").iterdir()
    return path


def _refusal(cohort: Cohort, study: Study, state: Path) -> str:
    with pytest.raises(SiteError) as caught:
        _roles(cohort, study, state)
    assert "SECRET" not in str(caught.value)
    assert caught.value.problems[0].remedy
    return str(caught.value)


def test_the_share_is_kept_aside_in_each_class(study: Study, tmp_path: Path) -> None:
    cohort = _cohort()
    counts = Counter(zip(_roles(cohort, study, tmp_path), cohort.outcome[:, 0].tolist(), strict=True))
    assert counts == {("internal", 1): 4, ("train", 1): 12, ("internal", 0): 6, ("train", 0): 18}


def test_a_role_goes_with_the_patient_not_with_the_row(study: Study, tmp_path: Path) -> None:
    cohort, order = _cohort(), list(range(40))
    random.Random(1).shuffle(order)
    shuffled = replace(cohort, units=tuple(cohort.units[i] for i in order), outcome=cohort.outcome[order])
    expected = _roles(cohort, study, tmp_path / "a")
    assert [expected[i] for i in order] == _roles(shuffled, study, tmp_path / "b")


def test_planning_stores_nothing_and_tells_the_same(study: Study, tmp_path: Path) -> None:
    planned = planned_roles(_cohort(), study, folds(study)[0], "north", tmp_path / "state")
    assert not (tmp_path / "state").exists()
    assert planned == _roles(_cohort(), study, tmp_path / "state")


def test_the_split_stays_when_an_outcome_is_corrected(study: Study, tmp_path: Path) -> None:
    before = _roles(_cohort(events=16), study, tmp_path)
    assert _roles(_cohort(events=20), study, tmp_path) == before


def test_the_stored_split_is_the_owners_alone_and_names_no_patient(study: Study, tmp_path: Path) -> None:
    _roles(_cohort(), study, tmp_path)
    assert _file(tmp_path).stat().st_mode & 0o777 == 0o600
    assert _file(tmp_path).parent.stat().st_mode & 0o777 == 0o700
    assert "SECRET" not in _file(tmp_path).read_text()


def test_other_patients_are_refused(study: Study, tmp_path: Path) -> None:
    _roles(_cohort(40), study, tmp_path)
    assert "the split was fixed for other patients: 1 are new, 0 are gone" in _refusal(_cohort(41), study, tmp_path)
    assert "0 are new, 2 are gone (a changed cohort is a new study" in _refusal(_cohort(38), study, tmp_path)


def test_a_patient_in_two_splits_is_refused(study: Study, tmp_path: Path) -> None:
    _roles(_cohort(), study, tmp_path)
    path = _file(tmp_path)
    twice, role = next(iter(json.loads(path.read_text()).items()))
    other = "internal" if role == "train" else "train"
    path.write_text(path.read_text().replace("{", f'{{"{twice}": "{other}", ', 1))
    assert "a patient stands in it twice (restore it from a backup" in _refusal(_cohort(), study, tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"a": 5}', '{"a": ["train"]}', '{"a": "external"}', "null"])
def test_a_damaged_split_is_refused(content: str, study: Study, tmp_path: Path) -> None:
    _roles(_cohort(), study, tmp_path)
    _file(tmp_path).write_text(content)
    assert "the stored split is damaged" in _refusal(_cohort(), study, tmp_path)


def test_external_and_undivided_hospitals_store_no_split(study: Study, tmp_path: Path) -> None:
    assert set(_roles(_cohort(), study, tmp_path, "south")) == {"external"}
    whole = study.model_copy(update={"cohorts": study.cohorts.model_copy(update={"internal": 0.0})})
    assert set(_roles(_cohort(), whole, tmp_path)) == {"train"}
    assert list(tmp_path.glob("splits")) == []


def test_a_class_of_one_patient_has_one_role(study: Study, tmp_path: Path) -> None:
    assert Counter(_roles(_cohort(5, 1), study, tmp_path)) == {"train": 4, "internal": 1}
