"""Rounds come in order: none goes back, none is repeated with other weights; a hospital that was away catches up."""

from pathlib import Path

import numpy as np
import pytest

from shared.wire import Envelope, Refused
from tests.small import agent_of, ask_counts, ask_round, ask_tallies, egress, hospital, small_study


def code(reply: Envelope) -> str:
    return reply.header.code if isinstance(reply.header, Refused) else reply.header.kind


@pytest.mark.parametrize("private", [True, False])
def test_no_round_goes_back_and_none_is_answered_for_other_weights(private: bool, tmp_path: Path) -> None:
    study, site = small_study(tmp_path), hospital(tmp_path, open_to_all=True)
    study = study if private else study.without_privacy()
    first, other = ask_round(study, 2), ask_round(study, 2)
    other.arrays[next(iter(other.arrays))] += 1
    answer = agent_of(site).answer(first)
    assert code(answer) == "trained", "a hospital may have been away in the first round"
    assert code(agent_of(site).answer(other)) == "round-answered"
    assert code(agent_of(site).answer(ask_round(study, 1))) == "out-of-order"
    assert agent_of(site).answer(first).to_bytes() == answer.to_bytes()
    assert code(agent_of(site).answer(ask_round(study, 1, "fusion"))) == "trained"
    assert code(agent_of(site).answer(ask_round(study, 1, "encoders"))) == "out-of-order"
    assert code(agent_of(site).answer(ask_tallies(study))) == "tallied"
    assert code(agent_of(site).answer(ask_round(study, 2, "fusion"))) == "out-of-order"
    refused = [line["code"] for line in egress(site) if line["kind"] == "refused"]
    assert refused == ["round-answered", "out-of-order", "out-of-order", "out-of-order"]


def test_another_study_has_an_order_of_its_own(tmp_path: Path) -> None:
    site = hospital(tmp_path, max_epsilon=100)
    assert code(agent_of(site).answer(ask_round(small_study(tmp_path), 2))) == "trained"
    assert code(agent_of(site).answer(ask_round(small_study(tmp_path, "seed=4"), 1))) == "trained"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_not_trained_on(value: float, tmp_path: Path) -> None:
    study, site = small_study(tmp_path), hospital(tmp_path)
    task = ask_round(study)
    task.arrays[next(iter(task.arrays))].flat[0] = value
    assert code(agent_of(site).answer(task)) == "wrong-weights"


def test_what_asks_for_nothing_has_its_line(tmp_path: Path) -> None:
    study, site = small_study(tmp_path), hospital(tmp_path)
    reply = agent_of(site).answer(ask_counts(study))
    assert code(agent_of(site).answer(reply)) == "not-a-task"
    assert [line["code"] for line in egress(site)] == [None, "not-a-task"]
