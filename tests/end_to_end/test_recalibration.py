"""After a weighted loss risks are too high or too low; recalibrated they add up, and nothing else has changed."""

import json
from pathlib import Path

import pytest
from safetensors import safe_open

from server.record import RunRecord, load_records
from server.validation.rows import metric_rows
from shared.errors import StudyError
from shared.privacy.mechanism import plan_privacy
from shared.study import Study
from simulations.arms import Hooks, open_consortium, run_arms
from tests.small import SITES, hospital, small_study

OPEN = 'privacy={mechanism="none"}'
WEIGHTED = 'training.loss={kind="weighted",prevalence=[0.8,0.2]}'  # half are ill: risks become far too high
MODEL = "clinical+blood"


def run(study: Study, folder: Path) -> RunRecord:
    for name in SITES:
        hospital(folder / "data", name, open_to_all=True, patients=120)
    consortium = open_consortium(study, folder / "data", folder / "state")
    run_arms(study, consortium, folder / "run", Hooks(), twins=False)
    return load_records(folder / "run")[0]


def figure(study: Study, record: RunRecord, metric: str) -> float:
    rows = [
        row
        for row in metric_rows(study, record)
        if (row.model, row.cohort, row.site, row.metric) == (MODEL, "external", None, metric)
    ]
    assert rows[0].estimate is not None
    return rows[0].estimate


def test_risks_add_up_afterwards(tmp_path: Path) -> None:
    found = {}
    for asked in ("none", "intercept", "intercept-slope"):
        study = small_study(tmp_path, OPEN, WEIGHTED, f'training.recalibrate="{asked}"', "training.learning_rate=0.2")
        found[asked] = (study, run(study, tmp_path / asked))
    ratio = {asked: figure(*both, "oe_ratio") for asked, both in found.items()}
    assert ratio["none"] < 0.75
    assert ratio["intercept"] == pytest.approx(1, abs=0.15)
    assert ratio["intercept-slope"] == pytest.approx(1, abs=0.15)
    assert len({round(figure(*both, "auc"), 9) for both in found.values()}) == 1
    assert len({record.models for _, record in found.values()}) == 1
    assert len({round(figure(*both, "sensitivity"), 9) for both in found.values()}) == 1
    _, record = found["intercept"]
    assert set(record.recalibration) == {"clinical", "blood", MODEL}
    assert record.recalibration[MODEL][0] < -0.3
    assert any(note.startswith(f"{MODEL}: recalibrated log odds are -") for note in record.notes)
    path = next((tmp_path / "intercept" / "run" / "models").iterdir())
    with safe_open(str(path), framework="numpy") as file:
        kept = json.loads(json.loads(file.metadata()["note"])["recalibration"])
    assert kept[MODEL] == list(record.recalibration[MODEL])


def test_under_privacy_one_release_serves_threshold_and_recalibration(tmp_path: Path) -> None:
    plain, asked = small_study(tmp_path), small_study(tmp_path, 'training.recalibrate="intercept"')
    assert plan_privacy(plain) == plan_privacy(asked)
    record = run(asked, tmp_path)
    assert record.recalibration
    epsilon, releases = record.spent()["north"]
    assert epsilon < 8
    assert releases == 2 * 2 * 2 + 1
    declared = ('training.recalibrate="intercept"', 'evaluation.threshold={rule="declared",value=0.2}')
    with pytest.raises(StudyError, match="a threshold or recalibration from training patients is a release"):
        small_study(tmp_path, *declared, "privacy.stages={encoders=0.5,fusion=0.5,threshold=0.0}")
    assert plan_privacy(small_study(tmp_path, *declared)) == plan_privacy(plain)


def test_only_one_score_has_a_line(tmp_path: Path) -> None:
    classes = 'outcome={kind="multiclass",column="ill",predicted_at="now",classes={a=["1"],b=["2"],c=["3"]}}'
    wide = ("modalities.clinical.width=3", "modalities.blood.width=3", 'evaluation={primary="clinical"}')
    with pytest.raises(StudyError, match="scores of a multiclass outcome are not tallied"):
        small_study(tmp_path, OPEN, classes, *wide, 'training.recalibrate="intercept"')
