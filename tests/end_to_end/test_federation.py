"""Small federations through the apps that hospitals run, by the fixture that other people's tests use."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from shared.errors import RunError
from shared.wire import Trained
from simulations.fixture import Fault


def test_a_federation_leaves_results_ledgers_and_messages(federation):
    run = federation("lscc-staging", sites=3, rounds=1)
    estimates = {
        (row.model, row.cohort, row.site)
        for row in run.results.metrics
        if row.metric == "auc" and row.estimate is not None
    }
    assert ("clinical+ct+laryngoscopy", "external", "south") in estimates
    assert [(s.stage, s.round, s.steps) for s in run.ledgers["north"]] == [
        ("encoders", 1, 1),
        ("fusion", 1, 1),
        ("threshold", 1, 1),
    ]
    assert run.ledgers["south"] == []  # an external hospital trains nothing and spends nothing
    assert run.failures == []
    spent = {row.site: row.epsilon for row in run.results.privacy.sites}
    assert 0.99 * 8 <= spent["north"] <= 8


def test_no_patient_level_array_crosses(federation):
    run = federation("lscc-staging", sites=3, rounds=1)
    for crossing in run.messages:
        for values in crossing.envelope.arrays.values():
            assert 12 not in values.shape, "a hospital has 12 patients here, so no axis may have that length"
    assert {type(c.envelope.header).__name__ for c in run.messages if c.direction == "out"} == {
        "Described",
        "Trained",
        "Tallied",
        "Evaluated",
    }


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault("fail", on="evaluate"), "its program failed"),
        (
            Fault("unreachable", on="evaluate"),
            "refused (unreachable): this hospital's agent could not be reached",
        ),
        (Fault("late", on="evaluate"), "no answer within 0.5 s"),
        (Fault("nonsense", on="tally-threshold"), "rejected: an array holds something that is not a finite number"),
    ],
)
def test_the_others_go_on_without_a_hospital_that_fails(federation, fault, sentence):
    run = federation("lscc-staging", rounds=1, faults={"west": fault})
    assert run.failures == [("west", sentence)]
    assert any(row.site == "south" and row.estimate is not None for row in run.results.metrics)
    assert any("west" in warning for warning in run.results.warnings)


@pytest.mark.parametrize("kind", ["fail", "unreachable"])
def test_a_round_with_one_contributor_is_not_published(federation, kind):
    with pytest.raises(RunError, match="fewer than 2 hospitals answered"):
        federation("lscc-staging", rounds=2, faults={"west": Fault(kind, round=2)})


def test_a_hospital_without_a_group_in_a_stage_answers_it_and_spends_nothing_there(federation):
    run = federation("lscc-staging", sites=4, overrides=['sites.west.lacks=["ct", "laryngoscopy"]'])
    assert run.failures == []
    assert [(s.stage, s.round) for s in run.ledgers["west"]] == [("encoders", 1), ("threshold", 1)]
    fused = [c for c in run.messages if isinstance(c.envelope.header, Trained) and c.envelope.header.stage == "fusion"]
    assert {c.site: bool(c.envelope.arrays) for c in fused} == {"north": True, "west": False, "south": True}
    noted = {(line.site, line.stage) for record in run.records for line in record.ledger}
    assert ("west", "fusion") not in noted
    assert {("west", "encoders"), ("west", "threshold"), ("north", "fusion")} <= noted


def test_a_group_that_one_hospital_alone_could_train_stays_as_it_was(federation):
    run = federation("lscc-staging", overrides=['sites.west.lacks=["ct"]'])
    weights = load_file(run.folder / "models" / f"{run.records[0].run.name}.safetensors")
    moved = {name for name, values in weights.items() if "ct" in name and np.any(values != 0) and "encoders" in name}
    assert moved == set()
    assert np.any(weights["encoders.clinical.readout.weight"] != 0)
    assert "federated, fold main: ct had too few contributors in a round and stayed as it was" in run.results.warnings
    sent = {name for c in run.messages if isinstance(c.envelope.header, Trained) for name in c.envelope.arrays}
    assert "encoders.ct.readout.weight" in sent, "north has CT, sent its update, and the server kept it to itself"


def test_a_hospital_without_ct_trains_with_the_others_and_its_patients_are_scored(federation):
    calm = ['privacy={mechanism="none"}', 'sites.west.lacks=["ct"]']
    run = federation("lscc-staging", sites=4, patients=60, overrides=calm)
    assert run.failures == []
    trained = {c.site for c in run.messages if isinstance(c.envelope.header, Trained)}
    assert "west" in trained
    rows = [row for row in run.results.metrics if row.metric == "auc" and row.site == "west"]
    assert {row.model for row in rows if row.cohort == "internal"} == set(run.study.models)
    fused = [
        row for row in rows if row.model == run.study.primary and row.cohort == "internal" and row.arm == "federated"
    ]
    assert fused
    assert all(row.estimate is not None and row.n for row in fused)
    gone = [row for row in run.results.pattern_figures if row.removed and row.estimate is not None]
    assert {row.present for row in gone} >= {"clinical+ct", "clinical+laryngoscopy", "ct+laryngoscopy"}


def test_without_privacy_the_same_seed_gives_the_same_bytes(federation):
    calm = ['privacy={mechanism="none"}']
    first, second = (federation("lscc-staging", rounds=2, overrides=calm) for _ in range(2))
    without_times = [run.results.model_copy(update={"timing": None}) for run in (first, second)]
    assert without_times[0].model_dump_json() == without_times[1].model_dump_json()
    assert first.records[0].models == second.records[0].models


def test_under_privacy_two_runs_differ(federation):
    first, second = (federation("lscc-staging", rounds=1) for _ in range(2))
    assert first.records[0].models != second.records[0].models
