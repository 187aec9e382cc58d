"""A hospital answers one frozen set of models and thresholds a run, and trains no further after it."""

from pathlib import Path

import numpy as np
import pytest

from client.site import Site
from shared.study import Study
from shared.tensors import weights_digest
from shared.wire import Arrays, Envelope, Evaluate, Evaluated, Refused
from tests.small import agent_of, ask_counts, ask_figures, ask_round, ask_tallies, hospital, small_study


def refusal(reply: Envelope) -> str:
    assert isinstance(reply.header, Refused), reply.header
    assert not reply.arrays
    return reply.header.code


@pytest.fixture(params=[True, False], ids=["private", "open"])
def study(request: pytest.FixtureRequest, tmp_path: Path) -> Study:
    small = small_study(tmp_path)
    return small if request.param else small.without_privacy()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return hospital(tmp_path, open_to_all=True)


def other_thresholds(study: Study) -> Envelope:
    asked = ask_figures(study)
    assert isinstance(asked.header, Evaluate)
    moved = {**asked.header.thresholds, study.primary: 1e-9}
    return Envelope(asked.header.model_copy(update={"thresholds": moved}), asked.arrays)


def moved(arrays: Arrays) -> Arrays:
    name = min(arrays)
    return {**arrays, name: np.nextafter(arrays[name], np.float32(9))}


@pytest.mark.parametrize("restart", [False, True])
def test_other_models_or_thresholds_of_the_same_run_are_refused(restart: bool, study: Study, site: Site) -> None:
    """Figures of two sets that differ by little would show the patients between them."""
    agent = agent_of(site)
    first = agent.answer(ask_figures(study))
    assert isinstance(first.header, Evaluated)
    agent = agent_of(site) if restart else agent
    assert refusal(agent.answer(other_thresholds(study))) == "sealed"
    assert refusal(agent.answer(ask_figures(study, moved(ask_figures(study).arrays)))) == "sealed"
    assert agent.answer(ask_figures(study)).to_bytes() == first.to_bytes()


@pytest.mark.parametrize("restart", [False, True])
def test_a_frozen_run_is_trained_no_further(restart: bool, study: Study, site: Site) -> None:
    agent = agent_of(site)
    agent.answer(ask_figures(study))
    agent = agent_of(site) if restart else agent
    for question in (ask_round(study), ask_round(study, 1, "fusion"), ask_tallies(study)):
        assert refusal(agent.answer(question)) == "frozen"
    assert not (site.state / "ledger.jsonl").exists()
    assert agent.answer(ask_counts(study)).header.kind == "described"


def test_what_was_released_before_the_freeze_is_sent_again(tmp_path: Path, site: Site) -> None:
    study, agent = small_study(tmp_path), agent_of(site)
    questions = [ask_round(study), ask_tallies(study)]
    released = [agent.answer(question).to_bytes() for question in questions]
    agent.answer(ask_figures(study))
    assert [agent.answer(question).to_bytes() for question in questions] == released


def test_another_run_is_free(study: Study, site: Site, tmp_path: Path) -> None:
    agent, other = agent_of(site), small_study(tmp_path, "seed=4")
    agent.answer(ask_figures(study))
    assert agent.answer(ask_round(other)).header.kind == "trained"
    assert agent.answer(ask_figures(other)).header.kind == "evaluated"
    assert refusal(agent.answer(other_thresholds(other))) == "sealed"


def test_what_cannot_be_evaluated_freezes_nothing(study: Study, site: Site) -> None:
    agent, asked = agent_of(site), ask_figures(study)
    assert isinstance(asked.header, Evaluate)
    assert refusal(agent.answer(Envelope(asked.header, moved(asked.arrays)))) == "wrong-models"
    strange = {name: values[None] for name, values in asked.arrays.items()}
    header = asked.header.model_copy(update={"models": weights_digest(strange)})
    assert refusal(agent.answer(Envelope(header, strange))) == "wrong-weights"
    assert agent.answer(ask_round(study)).header.kind == "trained"
    assert agent.answer(asked).header.kind == "evaluated"


def test_damaged_commitments_are_left_alone_and_nothing_is_answered(study: Study, site: Site) -> None:
    agent = agent_of(site)
    agent.answer(ask_figures(study))
    path = site.state / "commitments.json"
    assert not path.stat().st_mode & 0o077
    path.write_bytes(path.read_bytes()[:-9])
    content = path.read_bytes()
    for question in (ask_figures, ask_round, ask_tallies):
        assert refusal(agent.answer(question(study))) == "internal"
    assert path.read_bytes() == content
