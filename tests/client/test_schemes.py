"""Pooled, k-fold and temporal splits: by patient, in the declared shares, the same in any order of the table."""

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from client.cells import moment_of
from client.cohort import UNDATED, Cohort, Unit, read_cohort
from client.splits import LEFT_OUT, commitment, planned_roles, roles
from shared.cohort_rules import cohort_warnings, folds_add_up
from shared.cohorts import folds, portrayed, training_patients
from shared.errors import StudyError
from shared.study import Study
from tests.small import hospital, small_study

POOLED = 'cohorts={scheme="pooled-split",internal=0.2,test=["south"]}'
FIVE = 'cohorts={scheme="k-fold",folds=5,external=["south"]}'
TEMPORAL = 'cohorts={scheme="temporal",column="seen",cut="2020-01-01",external=["south"]}'
SIZES = ("sites.north.training=32", "sites.west.training=32")
OPEN = 'privacy={mechanism="none"}'


def _cohort(n: int = 40, events: int = 16, days: dict[int, str] | None = None, of: int = 1) -> Cohort:
    """``of`` rows a patient, each with its day."""
    units = tuple(
        Unit(f"P-{number // of}", f"P-{number}", number + 2, {"seen": (days or {}).get(number, "2019-05-05")})
        for number in range(n)
    )
    truth = np.array([[number < events] for number in range(n)], dtype=np.float32)
    return Cohort(units, truth, {}, {}, {}, ())


def test_each_patient_is_held_out_once_in_parts_of_one_size(tmp_path: Path) -> None:
    study, cohort = small_study(tmp_path, FIVE), _cohort(41, 17)
    given = [roles(cohort, study, fold, "north", tmp_path / "state") for fold in folds(study)[:-1]]
    held = np.array(given) == "internal"
    assert (held.sum(axis=0) == 1).all()
    assert sorted(held.sum(axis=1)) == [8, 8, 8, 8, 9]
    assert {int(own[cohort.outcome[:, 0] == 1].sum()) for own in held} == {3, 4}
    assert set(roles(cohort, study, folds(study)[-1], "north", tmp_path / "state")) == {"train"}
    assert set(roles(cohort, study, folds(study)[-1], "south", tmp_path / "state")) == {"external"}


def test_parts_go_with_the_patient_not_with_the_row(tmp_path: Path) -> None:
    study, cohort, order = small_study(tmp_path, FIVE), _cohort(60, 24, of=3), list(range(60))
    random.Random(1).shuffle(order)
    shuffled = replace(cohort, units=tuple(cohort.units[i] for i in order), outcome=cohort.outcome[order])
    first = folds(study)[0]
    given = roles(cohort, study, first, "north", tmp_path / "a")
    assert [given[i] for i in order] == roles(shuffled, study, first, "north", tmp_path / "b")
    assert all(len(set(given[place : place + 3])) == 1 for place in range(0, 60, 3))


def test_folds_of_a_k_fold_and_their_declared_sizes(tmp_path: Path) -> None:
    study = small_study(tmp_path, FIVE)
    assert [fold.name for fold in folds(study)] == [*(f"fold-{part}" for part in range(1, 6)), "main"]
    assert [fold.external for fold in folds(study)] == [()] * 5 + [("south",)]
    assert training_patients(study, "north", folds(study)[0]) == pytest.approx(32)
    assert training_patients(study, "north", folds(study)[-1]) == 40
    alone = small_study(tmp_path, 'cohorts={scheme="k-fold",folds=5}')
    assert [fold.name for fold in folds(alone)] == [f"fold-{part}" for part in range(1, 6)]
    open_to_all = small_study(tmp_path, OPEN, FIVE)
    assert portrayed(open_to_all) == ("internal", "external"), "who trains in one fold is held out in another"


def test_folds_add_up_and_a_study_says_so_beforehand(tmp_path: Path) -> None:
    told = folds_add_up(small_study(tmp_path, FIVE))
    assert told.startswith("a hospital's patients train in 6 folds")
    assert 8 < float(told.split("epsilon ")[1].split()[0]) < 48, "by less than the sum of six times 8"
    in_turn = folds_add_up(small_study(tmp_path, 'cohorts={scheme="leave-one-site-out"}'))
    assert in_turn.startswith("a hospital's patients train in 2 folds")
    assert not folds_add_up(small_study(tmp_path))
    assert not folds_add_up(small_study(tmp_path, OPEN, FIVE))


def test_parts_below_the_usual_minimums_are_told_of(tmp_path: Path) -> None:
    found = [text for text in cohort_warnings(small_study(tmp_path, FIVE)) if "a part of" in text]
    assert found[0].startswith("cohorts.folds = 5: a part of north has about 8 patients")
    assert len(found) == 2, "the external hospital has no parts"
    assert not list(cohort_warnings(small_study(tmp_path, 'cohorts={scheme="k-fold",folds=2}')))


def test_a_pool_keeps_the_declared_share_whatever_its_parts(tmp_path: Path) -> None:
    """Rounded to the nearest, hospitals with two events each would keep none of them aside."""
    study = small_study(tmp_path, POOLED)
    fold, kept, events = folds(study)[0], 0, 0
    assert (fold.train, fold.external) == (("north", "west"), ("south",))
    for number in range(200):
        given = planned_roles(_cohort(12, 2), study, fold, f"hospital-{number}", tmp_path / "state")
        kept += given.count("internal")
        events += given[:2].count("internal")
    assert kept / (200 * 12) == pytest.approx(0.2, abs=0.02)
    assert events / 400 == pytest.approx(0.2, abs=0.05)
    whole = planned_roles(_cohort(1000, 400), study, fold, "north", tmp_path / "state")
    assert whole.count("internal") == pytest.approx(200, abs=2)


@pytest.fixture
def temporal(tmp_path: Path) -> Study:
    return small_study(tmp_path, TEMPORAL, *SIZES)


def test_time_divides_by_the_day_of_the_cut(temporal: Study, tmp_path: Path) -> None:
    days = {0: "2019-12-31", 1: "2020-01-01", 2: "2020-06-01T08:30", 3: "2019-12-31 23:59", 4: "438287", 5: "438288"}
    given = roles(_cohort(6, 3, days), temporal, folds(temporal)[0], "north", tmp_path / "state")
    assert given == ["train", "internal", "internal", "train", "train", "internal"]
    assert training_patients(temporal, "north", folds(temporal)[0]) == 32


def test_who_comes_back_after_the_cut_is_internal_by_his_later_rows(temporal: Study, tmp_path: Path) -> None:
    days = {0: "2019-01-01", 1: "2020-02-02", 2: "2019-01-01", 3: "2019-02-02", 4: "2020-03-03", 5: "2020-04-04"}
    fold, state = folds(temporal)[0], tmp_path / "state"
    assert roles(_cohort(6, 3, days, of=2), temporal, fold, "north", state) == [
        LEFT_OUT, "internal", "train", "train", "internal", "internal",
    ]  # fmt: skip
    later = {**days, 3: "2020-09-09"}  # a row that the table got after the split was fixed
    given = roles(_cohort(6, 3, later, of=2), temporal, fold, "north", state)
    assert given[2:4] == ["train", LEFT_OUT], "a patient who trains is not judged"


@pytest.mark.parametrize("text", ["", "2019", "soon", "nan", "31.12.2019", "1e99"])
def test_what_is_no_day(text: str) -> None:
    assert moment_of(text) is None


def test_a_row_without_a_day_is_left_out_and_counted(temporal: Study, tmp_path: Path) -> None:
    site = hospital(tmp_path)
    table = site.data / "patients.csv"
    head, *lines = table.read_text().splitlines()
    days = ["2019-03-03"] * 30 + ["20200303"] * 8 + ["", "2019"]
    table.write_text("\n".join([f"{head},seen", *(f"{line},{day}" for line, day in zip(lines, days, strict=True))]))
    cohort = read_cohort(site, temporal)
    assert cohort.excluded == {UNDATED: 2}
    given = planned_roles(cohort, temporal, folds(temporal)[0], "north", tmp_path / "state")
    assert Counter(given) == {"train": 30, "internal": 8}


def test_a_hospital_commits_to_its_split_under_its_own_secret(tmp_path: Path) -> None:
    study, cohort = small_study(tmp_path, FIVE), _cohort()
    assert commitment(study, tmp_path / "north") is None
    told = []
    for name in ("north", "west"):
        roles(cohort, study, folds(study)[0], "north", tmp_path / name)
        told += [commitment(study, tmp_path / name), commitment(study, tmp_path / name)]
    assert told[0] == told[1] != told[2] == told[3], "the same list under another secret"
    assert (tmp_path / "north" / "split-secret").stat().st_mode & 0o777 == 0o600
    (path,) = (tmp_path / "north" / "splits").iterdir()
    path.write_text(path.read_text().replace(': "1"', ': "2"', 1))
    assert commitment(study, tmp_path / "north") != told[0]


@pytest.mark.parametrize(
    ("overrides", "rule"),
    [
        (['cohorts={scheme="k-fold",folds=1}'], "folds"),
        (['cohorts={scheme="k-fold",folds=3,external=["east"]}'], 'cohorts.external: "east" is not under'),
        (['cohorts={scheme="k-fold",folds=3,external=["north","west","south"]}'], "no hospital is left to train"),
        (['cohorts={scheme="pooled-split",internal=0.0}'], "internal"),
        (['cohorts={scheme="pooled-split",internal=0.2,test=["south","south"]}'], "stands twice"),
        ([TEMPORAL], "sites.north.training: how many train is declared"),
        ([TEMPORAL, *SIZES, "sites.south.training=30"], "sites.south.training"),
        ([TEMPORAL.replace("2020-01-01", "spring"), *SIZES], "cut"),
        (["sites.main={patients=40}"], "this name stands for the model of all training hospitals"),
    ],
)
def test_what_a_scheme_refuses(overrides: list[str], rule: str, tmp_path: Path) -> None:
    with pytest.raises(StudyError) as caught:
        small_study(tmp_path, *overrides)
    assert rule in str(caught.value)
