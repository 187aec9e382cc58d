"""Hospitals whose replies are wrong: each is rejected and named, and the others go on; over the in-process grid."""

from pathlib import Path

import pytest

from simulations.fault import Fault
from simulations.federation import Federation
from tests.many import CALM, federation


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault("nonsense", round=2), "rejected: an array holds something that is not a finite number"),
        (Fault("huge", round=2), "rejected: its update is "),
        (Fault("swollen", round=2), "rejected: an array has another shape than the model"),
        (Fault("stale", round=2), "rejected: answered another round"),
        (Fault("foreign", round=2), "rejected: is of another study, or of this one with other settings"),
        (Fault("untyped", round=2), "answered something that is no message of ours"),
        (Fault("late", round=2), "no answer within 0.5 s"),
        (Fault("fail", round=2), "its program failed"),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_a_wrong_reply_is_named_and_the_others_go_on(
    fault: Fault, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = federation(tmp_path, monkeypatch, 4, {"h2": fault}, CALM)
    (record,) = run.records
    named = [(failure.site, failure.task) for failure in record.failures]
    assert named == [("h2", "train encoders 2"), ("h2", "train fusion 2")]
    assert record.failures[0].sentence.startswith(sentence)
    answered = {(done.stage, done.round): done.answered for done in record.rounds}
    assert answered["encoders", 1] == ("h1", "h2", "h3")
    assert answered["encoders", 2] == ("h1", "h3")
    assert answered["fusion", 1] == ("h1", "h2", "h3"), "the hospital is asked again, and catches up"
    assert any(row.site == "h4" and row.estimate is not None for row in run.results.metrics)


def test_a_million_times_the_size_is_rejected_in_the_first_round_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = federation(tmp_path / "huge", monkeypatch, 4, {"h2": Fault("huge")}, CALM)
    assert {failure.site for failure in run.records[0].failures} == {"h2"}
    assert all("times the size of the others'" in failure.sentence for failure in run.records[0].failures)
    untouched = federation(tmp_path / "fail", monkeypatch, 4, {"h2": Fault("fail")}, CALM)
    assert run.records[0].models == untouched.records[0].models


def auc(run: Federation) -> float:
    (row,) = [
        row
        for row in run.results.metrics
        if (row.metric, row.model, row.cohort, row.site) == ("auc", "clinical+blood", "external", "h8")
    ]
    assert row.estimate is not None
    return row.estimate


@pytest.mark.slow
def test_two_of_seven_hospitals_flip_their_signs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faults = {"h1": Fault("flipped"), "h5": Fault("flipped")}
    settings = (CALM, "training.rounds=8", "training.steps=4")
    trimming = 'training.strategy="trimmed-mean"'
    sound = federation(tmp_path / "sound", monkeypatch, 8, {}, *settings)
    averaged = federation(tmp_path / "averaged", monkeypatch, 8, faults, *settings)
    trimmed = federation(tmp_path / "trimmed", monkeypatch, 8, faults, *settings, trimming)
    assert sound.records[0].notes == ()
    for run in (averaged, trimmed):
        assert [note.split(":")[0] for note in run.records[0].notes] == ["h1", "h5"]
        assert all("point against the others'" in note for note in run.records[0].notes)
        assert any("h5: its updates" in warning for warning in run.results.warnings)
    print(f"AUC sound {auc(sound):.3f}, averaged {auc(averaged):.3f}, trimmed {auc(trimmed):.3f}")
    assert auc(trimmed) == pytest.approx(auc(sound), abs=0.02)
