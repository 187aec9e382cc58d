"""Who the patients are leaves a hospital without a small count, also none that a difference would show."""

import json
from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.gatekeeper import check_outgoing
from client.portrait import grouped
from client.prognosis import FollowUp, merged_edges, prognosis
from client.site import Limits, Site
from client.table_one import number_column, suppressed
from shared.cohorts import portrayed
from shared.errors import PrivacyRefusal
from shared.metrics.cells import BINS
from shared.portrait import Area, CategoryColumn, NumberColumn, PatternCount, Portrait, Prognosis, Removed, TimeCells
from shared.schemes import LeaveOneSiteOut
from shared.score_cells import ClassCells
from shared.study_file import load_study
from shared.wire import Envelope, Evaluated, SiteFigures
from tests.small import agent_of, ask_figures, hospital, small_study

STUDY = load_study("lscc-staging")
OPEN_STUDY = STUDY.without_privacy()
LIMITS = Limits(max_epsilon=8.0, min_cell=5, min_class=10, min_patients=20)
SITE = Site(name="south", data=Path("."), state=Path("."), encoding="utf-8", limits=LIMITS)
COUNTS = st.lists(st.integers(0, 30), min_size=2, max_size=6).filter(lambda counts: sum(counts) >= 20)
MIN_CELL = st.integers(1, 10)


@given(counts=COUNTS, min_cell=MIN_CELL)
def test_hidden_cells_do_not_follow_from_the_others(counts: list[int], min_cell: int) -> None:
    told = suppressed(counts, min_cell)
    assert all(count == 0 or count >= min_cell for count in told if count is not None)
    assert all(own in (None, count) for own, count in zip(told, counts, strict=True))
    hidden = [count for own, count in zip(told, counts, strict=True) if own is None]
    if hidden:
        assert sum(hidden) >= min_cell
        others = sum(1 for count in counts if count)
        assert len(hidden) > 1 or others == 1
    else:
        assert all(count == 0 or count >= min_cell for count in counts)


@given(counts=COUNTS, min_cell=MIN_CELL)
def test_small_patterns_stand_together(counts: list[int], min_cell: int) -> None:
    patterns = Counter({("ct", f"m{place}"): count for place, count in enumerate(counts) if count})
    groups = grouped(patterns, min_cell)
    assert sum(groups.values()) == sum(counts)
    assert all(count >= min_cell for count in groups.values())
    assert all(patterns[pattern] == count for pattern, count in groups.items() if pattern)
    assert (None in groups) == any(count < min_cell for count in patterns.values())


@given(row=st.lists(st.integers(0, 9), min_size=6, max_size=6), min_cell=MIN_CELL)
def test_intervals_are_merged_until_none_is_small(row: list[int], min_cell: int) -> None:
    counts = np.array(row)
    if 0 < counts.sum() < min_cell:
        assert merged_edges(counts[np.newaxis], min_cell) == []
        return
    edges = merged_edges(counts[np.newaxis], min_cell)
    cells = np.add.reduceat(counts, edges[:-1])
    assert edges[0] == 0
    assert edges[-1] == len(counts)
    assert not ((cells > 0) & (cells < min_cell)).any()
    finest = max(  # no other way to part them has more intervals
        len(kept) + 2
        for chosen in product((False, True), repeat=5)
        for kept in [[place + 1 for place, there in enumerate(chosen) if there]]
        for part in [np.add.reduceat(counts, [0, *kept])]
        if not ((part > 0) & (part < min_cell)).any()
    )
    assert len(edges) == finest


def test_a_mean_does_not_show_who_differs() -> None:
    name = ("clinical", "age")
    flags = np.zeros(60)
    flags[:4] = 1
    assert number_column(name, flags, LIMITS) is None
    flags[:5] = 1
    assert number_column(name, flags, LIMITS) is not None
    values = np.arange(60.0)
    values[:3] = np.nan
    found = number_column(name, values, LIMITS)
    assert found is not None
    assert found.missing is None
    assert (found.mean, found.deviation) == (31.0, 16.6)
    values[:45] = np.nan
    assert number_column(name, values, LIMITS) is None


def test_training_patients_are_not_described_under_privacy_nor_nested_cohorts() -> None:
    assert portrayed(STUDY) == ("internal", "external")
    assert portrayed(OPEN_STUDY) == ("train", "internal", "external")
    in_turn = LeaveOneSiteOut(scheme="leave-one-site-out", internal=0.3)
    assert portrayed(OPEN_STUDY.model_copy(update={"cohorts": in_turn})) == ("external",)


def cells(*counts: int, edges: tuple[int, ...] = (0, BINS // 2, BINS)) -> ClassCells:
    return ClassCells(edges=edges, counts=counts)


def row(*counts: int, edges: tuple[int, ...] = (0, 3, 7)) -> TimeCells:
    return TimeCells.model_construct(edges=edges, counts=counts)


SURVIVAL = {
    "events": (row(6, 10, 0, edges=(0, 4, 10, 11)), row(12, 8)), "others": (row(5, 29), row(7, 37, edges=(0, 5, 7))),
    "expected": 17.2, "variance": 8.8, "c_index": 0.58, "c_error": 0.04,
}  # fmt: skip
SOUND = Portrait(
    role="external",
    patients=114,
    patterns=(
        PatternCount(
            present=("clinical", "ct", "laryngoscopy"), n=104, area=Area(n=104, events=44, auc=0.88, variance=0.001)
        ),
        PatternCount(present=None, n=10),
    ),
    removed=(Removed(modality="ct", auc=0.79, variance=0.002),),
    numbers=(NumberColumn(modality="clinical", column="age", mean=62.3, deviation=9.27, missing=0),),
    categories=(CategoryColumn(modality="clinical", column="sex", counts=(25, 89), missing=0),),
    withheld=("bmi",),
    prognosis=Prognosis.model_validate(SURVIVAL),
)
TOLD = SiteFigures(
    model=STUDY.primary, role="external", n=114, events=49, patients=114, auc=0.87, auc_variance=0.001, brier=0.15,
    event_cells=cells(8, 41), other_cells=cells(42, 23),
)  # fmt: skip


def answer(told: SiteFigures | None = TOLD, **changes: object) -> Envelope:
    figures = (told,) if told else ()
    portraits = (SOUND.model_copy(update=changes),)
    return Envelope(Evaluated.model_construct(models="0" * 64, figures=figures, portraits=portraits))


def area(n: int, events: int) -> tuple[PatternCount, ...]:
    full = SOUND.patterns[0].model_copy(update={"area": Area(n=n, events=events, auc=0.88, variance=0.001)})
    return (full, SOUND.patterns[1])


def sex(*counts: int | None, missing: int | None = 0) -> dict[str, object]:
    return {"categories": (CategoryColumn(modality="clinical", column="sex", counts=counts, missing=missing),)}


def survival(**changes: object) -> dict[str, object]:
    return {"prognosis": Prognosis.model_construct(**{**SURVIVAL, **changes})}  # type: ignore[arg-type]


def age(**changes: object) -> dict[str, object]:
    values = {"modality": "clinical", "column": "age", "mean": 62.3, "deviation": 9.27, "missing": 0, **changes}
    return {"numbers": (NumberColumn.model_construct(**values),)}  # type: ignore[arg-type]


def test_a_sound_portrait_leaves() -> None:
    check_outgoing(answer(), SITE, None, STUDY)
    check_outgoing(answer(**sex(None, None)), SITE, None, STUDY)
    check_outgoing(answer(None, removed=(), prognosis=None, patterns=()), SITE, None, STUDY)


PATTERNS = SOUND.patterns
BAD: list[tuple[dict[str, object], str]] = [
    ({"patients": 19}, "too-few"),
    ({"patients": None}, "too-few"),
    ({"patterns": (PATTERNS[0], PatternCount(present=("ct",), n=4), PatternCount(present=None, n=6))}, "small-cell"),
    ({"patterns": PATTERNS[:1]}, "other-patients"),
    ({"patterns": (PatternCount(present=("P0007",), n=104), PATTERNS[1])}, "foreign-name"),
    ({"patterns": area(104, 9)}, "too-few"),
    ({"patterns": area(104, 47)}, "small-cell"),  # two events among those who lack something
    ({"patterns": area(104, 50)}, "other-patients"),
    ({"removed": (Removed.model_construct(modality="ct", auc=0.7912, variance=0.002),)}, "not-rounded"),
    ({"removed": (Removed(modality="mri", auc=0.79, variance=0.002),)}, "foreign-name"),
    (age(mean=62.31), "not-rounded"),
    (age(mean=float("nan")), "not-rounded"),
    (age(missing=3), "small-cell"),
    (age(column="patient_id"), "foreign-name"),
    (sex(3, 111), "small-cell"),
    (sex(None, 89), "small-cell"),  # follows from the others
    (sex(None, 110, missing=None), "small-cell"),  # together four
    (sex(25, 80), "other-patients"),
    (sex(25, 80, 9), "foreign-name"),
    (survival(events=(row(6, 10), row(4, 16))), "small-cell"),
    (survival(events=(row(6, 10), row(12, 8, edges=(0, 3, 5, 7)))), "not-rounded"),
    (survival(events=(row(6, 10), row(12, 8, edges=(0, 7, 5)))), "not-rounded"),
    (survival(variance=8.81234), "not-rounded"),
    (survival(c_index=0.5812), "not-rounded"),
    (survival(others=(row(5, 29), row(7, 34))), "small-cell"),  # three of the high group were not followed
    (survival(events=(row(6, 14), row(12, 8))), "other-patients"),
    (survival(events=(row(0, 0), row(5, 0)), others=(row(5, 45), row(7, 52))), "too-few"),
    ({"withheld": ("Jane Doe",)}, "foreign-name"),
]


@pytest.mark.parametrize(("changes", "code"), BAD)
def test_what_must_not_leave_is_refused(changes: dict[str, object], code: str) -> None:
    with pytest.raises(PrivacyRefusal) as refusal:
        check_outgoing(answer(**changes), SITE, None, STUDY)
    assert refusal.value.code == code


def test_risk_groups_do_not_complete_a_hidden_table_of_decisions() -> None:
    hidden = TOLD.model_copy(update={"event_cells": cells(49, edges=(0, BINS))})
    with pytest.raises(PrivacyRefusal, match="risk groups"):
        check_outgoing(answer(hidden), SITE, None, STUDY)
    few = TOLD.model_copy(update={"auc": None, "auc_variance": None, "brier": None})
    with pytest.raises(PrivacyRefusal, match="too few"):
        check_outgoing(answer(few), SITE, None, STUDY)


def test_only_cohorts_of_a_known_study_are_described() -> None:
    for envelope, study in ((answer(), None), (answer(role="train"), STUDY)):
        with pytest.raises(PrivacyRefusal, match="must not be described"):
            check_outgoing(envelope, SITE, None, study)
    twice = Envelope(Evaluated.model_construct(models="0" * 64, figures=(TOLD,), portraits=(SOUND, SOUND)))
    with pytest.raises(PrivacyRefusal, match="once"):
        check_outgoing(twice, SITE, None, STUDY)


def test_survival_is_withheld_where_groups_are_small() -> None:
    chance = np.random.default_rng(1)
    assert STUDY.survival is not None
    time, high = chance.uniform(1, 80, 114), chance.random(114) < 0.5
    event = (chance.random(114) < 0.5).astype(np.float64)
    score = np.where(high, 1.0, -1.0) + chance.normal(0, 0.1, 114)
    told = TOLD.model_copy(
        update={"event_cells": cells(30, 19), "other_cells": cells(int((~high).sum()) - 30, int(high.sum()) - 19)}
    )
    whole = FollowUp(STUDY.survival, time, event)
    found, reason = prognosis(whole, told, (score, high), LIMITS)
    assert found is not None
    assert not reason
    assert found.sizes == (int((~high).sum()), int(high.sum()))
    lost = FollowUp(STUDY.survival, np.where(np.arange(114) < 2, np.nan, time), event)
    assert prognosis(lost, told, (score, high), LIMITS)[0] is None
    rare = FollowUp(STUDY.survival, time, (np.arange(114) < 3).astype(np.float64))
    assert prognosis(rare, told, (score, high), LIMITS)[0] is None
    hidden = told.model_copy(update={"event_cells": cells(49, edges=(0, BINS))})
    assert prognosis(whole, hidden, (score, high), LIMITS)[0] is None


@pytest.mark.parametrize("private", [True, False])
def test_an_agent_describes_whom_it_may(private: bool, tmp_path: Path) -> None:
    site = hospital(tmp_path, open_to_all=True, patients=400)
    study = small_study(tmp_path) if private else small_study(tmp_path).without_privacy()
    header = agent_of(site).answer(ask_figures(study)).header
    assert isinstance(header, Evaluated)
    roles = {own.role for own in header.portraits}
    assert roles == ({"internal"} if private else {"train", "internal"})
    for own in header.portraits:
        assert own.patients == {"internal": 100, "train": 300}[own.role]
        assert {row.present: row.n for row in own.patterns}.keys() == {("clinical", "blood"), ("clinical",)}
        assert [row.modality for row in own.removed] == ["clinical", "blood"]
        ages = next(row for row in own.numbers if row.column == "age")
        assert 45 < ages.mean < 70
        assert 5 < ages.deviation < 30
    assert "north-" not in json.dumps(header.model_dump(mode="json"))
