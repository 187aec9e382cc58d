"""Hospitals grow trees together: they learn, stand beside the models, and nothing but a declared tree passes."""

import json
from pathlib import Path

import numpy as np
import pytest

from client.boosting import Booster, Growth, grown
from client.gatekeeper import check_outgoing
from server.auditor import audit_trees
from server.boosting import joined
from server.record import load_records
from server.validation.rows import metric_rows
from shared.boosting import leaves_of
from shared.errors import PrivacyRefusal, ReplyRejected, StudyError
from shared.learners import Boosted
from shared.metrics.delong import clustered_auc
from shared.model import MultimodalModel
from shared.wire import Boost, Envelope, Grown
from simulations.arms import Hooks, open_consortium, run_arms
from tests.small import SITES, agent_of, hospital, random_batch, run_of, small_study

OPEN = 'privacy={mechanism="none"}'
TREES = 'boosted={trees={modalities=["clinical","blood"],trees=6,depth=2,learning_rate=0.5}}'
OURS = (OPEN, TREES, "training.share_alone=true")
CHOICE = Boosted(modalities=("clinical", "blood"), trees=6, depth=2)


def test_they_are_grown_and_validated_over_hospitals(tmp_path: Path) -> None:
    study = small_study(tmp_path, *OURS, 'arms.run=["federated","pooled"]', 'training.recalibrate="intercept"')
    for name in SITES:
        hospital(tmp_path / "data", name, open_to_all=True, patients=120)
    consortium = open_consortium(study, tmp_path / "data", tmp_path / "state")
    run_arms(study, consortium, tmp_path / "run", Hooks())
    records = {record.run.arm: record for record in load_records(tmp_path / "run")}
    for record in records.values():
        rows = [row for row in metric_rows(study, record) if (row.model, row.cohort) == ("trees", "external")]
        auc = next(row.estimate for row in rows if (row.metric, row.site) == ("auc", "south"))
        assert auc is not None
        assert auc > 0.75
        assert record.thresholds["trees"] is not None
        assert "trees" in record.recalibration
        assert [one.round for one in record.rounds if one.stage == "boost"] == [1, 2, 3, 4, 5, 6]
    assert records["federated"].failures == ()


def one_tree(tmp_path: Path, min_cell: int = 5, patients: int = 80) -> np.ndarray:
    study = small_study(tmp_path, *OURS)
    batch = random_batch(study, patients)
    batch.inputs["clinical"][:, 0] += 2 * batch.outcome[:, 0]
    return grown(Booster(CHOICE), batch, Growth(2, min_cell, 1))


def test_trees_add_up_and_teach(tmp_path: Path) -> None:
    study = small_study(tmp_path, *OURS)
    content = None
    for number in range(4):
        before = content
        for seed in (1, 2):  # two hospitals, each on top of the round's start
            batch = random_batch(study, 80, seed)
            batch.inputs["clinical"][:, 0] += 2 * batch.outcome[:, 0]
            content = joined(content, grown(Booster(CHOICE, before), batch, Growth(2, 5, 1)))
        assert len(leaves_of(content, 2, 2 * (number + 1))) == 2 * (number + 1)
    fresh = random_batch(study, 200, 9)
    fresh.inputs["clinical"][:, 0] += 2 * fresh.outcome[:, 0]
    scores = Booster(CHOICE, content).scores(MultimodalModel(study), fresh)
    assert scores is not None
    assert scores.shape == (200, 1)
    event = fresh.outcome[:, 0].numpy().astype(np.float64)
    assert clustered_auc(event, scores[None, :, 0], fresh.owner.numpy()).auc[0] > 0.85


def test_no_leaf_has_fewer_patients_than_a_cell(tmp_path: Path) -> None:
    site, study = hospital(tmp_path, open_to_all=True), small_study(tmp_path, *OURS)
    answer = Grown(round=1)
    check_outgoing(Envelope(answer, {"boosted.trees": one_tree(tmp_path)}), site, None, study, "federated")
    fine = one_tree(tmp_path, min_cell=1, patients=8)
    assert 4 * leaves_of(fine, 2, 1)[0] < 5
    for content, code in ((fine, "small-cell"), (fine.astype(np.float32), "no-tree"), (fine[:-9], "no-tree")):
        with pytest.raises(PrivacyRefusal) as refusal:
            check_outgoing(Envelope(answer, {"boosted.trees": content}), site, None, study, "federated")
        assert refusal.value.code == code
    closed = hospital(tmp_path / "closed")
    with pytest.raises(PrivacyRefusal, match="without privacy"):
        check_outgoing(Envelope(answer, {"boosted.trees": one_tree(tmp_path)}), closed, None, study, "federated")


def altered(content: np.ndarray, **changes: object) -> np.ndarray:
    """The booster with other values in its only tree."""
    whole = json.loads(content.tobytes())
    whole["learner"]["gradient_booster"]["model"]["trees"][0].update(changes)
    return np.frombuffer(json.dumps(whole).encode(), dtype=np.uint8)


@pytest.mark.parametrize(
    "changes",
    [
        {"left_children": [1, 0, -1]},
        {"left_children": "abc"},
        {"split_indices": [99, 0, 0, 0, 0, 0, 0]},
        {"split_conditions": [float("nan")] * 7},
        {"sum_hessian": []},
    ],
)
def test_a_broken_tree_is_rejected(changes: dict[str, object], tmp_path: Path) -> None:
    study = small_study(tmp_path, *OURS)
    task, whole = Boost(study=study.text, run=run_of(study), round=1), one_tree(tmp_path)
    audit_trees(Envelope(Grown(round=1), {"boosted.trees": whole}), task, {"trees": CHOICE})
    with pytest.raises(ReplyRejected, match="no booster of the declared"):
        audit_trees(Envelope(Grown(round=1), {"boosted.trees": altered(whole, **changes)}), task, {"trees": CHOICE})
    with pytest.raises(ReplyRejected, match="not those of the study"):
        audit_trees(Envelope(Grown(round=1), {}), task, {"trees": CHOICE})
    shallow = CHOICE.model_copy(update={"depth": 1})
    with pytest.raises(ReplyRejected, match="declared depth"):
        audit_trees(Envelope(Grown(round=1), {"boosted.trees": whole}), task, {"trees": shallow})
    named = json.loads(whole.tobytes())
    named["learner"]["attributes"] = {"note": "anything"}
    smuggled = np.frombuffer(json.dumps(named).encode(), dtype=np.uint8)
    with pytest.raises(ReplyRejected):
        audit_trees(Envelope(Grown(round=1), {"boosted.trees": smuggled}), task, {"trees": CHOICE})


def test_a_hospital_reads_no_other_trees(tmp_path: Path) -> None:
    study, site = small_study(tmp_path, *OURS), hospital(tmp_path, open_to_all=True, patients=120)
    agent, tree = agent_of(site), one_tree(tmp_path)

    def asked(number: int, arrays: dict[str, np.ndarray]) -> str:
        header = agent.answer(Envelope(Boost(study=study.text, run=run_of(study), round=number), arrays)).header
        return getattr(header, "code", header.kind)

    assert asked(1, {}) == "grown"
    assert asked(1, {"boosted.trees": tree}) == "round-answered"
    assert asked(2, {"boosted.other": tree}) == "wrong-weights"
    assert asked(2, {"boosted.trees": tree[:50]}) == "wrong-weights"
    assert asked(7, {"boosted.trees": tree}) == "no-such-round"


@pytest.mark.parametrize(
    ("overrides", "rule"),
    [
        ((TREES, "training.share_alone=true"), "hold patients' values"),
        ((OPEN, TREES), "share_alone"),
        ((OPEN, TREES.replace('"blood"', '"ct"'), "training.share_alone=true"), '"ct" is not under'),
        ((OPEN, TREES.replace("{trees=", "{clinical="), "training.share_alone=true"), "name of another model"),
    ],
)
def test_what_cannot_be_grown_together_is_refused(overrides: tuple[str, ...], rule: str, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=rule):
        small_study(tmp_path, *overrides)
