"""A release that would pass a budget is refused before any training: the run's own, and the hospital's over studies."""

from pathlib import Path

import pytest

from client.ledger_file import LedgerFile
from client.site import Site
from shared.errors import PrivacyRefusal
from shared.privacy.accounting import composed_epsilon
from shared.privacy.mechanism import plan_privacy
from shared.privacy.records import Spend
from shared.study import Study
from shared.wire import Envelope, Refused
from tests.small import agent_of, ask_counts, ask_round, ask_tallies, hospital, run_of, small_study

DIGESTS = {"digest": "0" * 64, "question": "0" * 64}


def whole_run(study: Study) -> list[Envelope]:
    rounds = [
        ask_round(study, n, stage) for stage in ("encoders", "fusion") for n in range(1, study.training.rounds + 1)
    ]
    return [*rounds, ask_tallies(study)]


def refusal(reply: Envelope) -> str:
    assert isinstance(reply.header, Refused), reply.header
    assert not reply.arrays
    return reply.header.code


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> int:
        pytest.fail("trained, although the release is refused")

    monkeypatch.setattr("client.agent.work.train_round", never)
    monkeypatch.setattr("client.agent.work.threshold_tallies", never)


def spends(site: Site) -> tuple[Spend, ...]:
    return LedgerFile(site.state).spends


def test_a_whole_run_spends_its_budget_and_no_more(tmp_path: Path) -> None:
    study, site = small_study(tmp_path), hospital(tmp_path)
    agent, told = agent_of(site), []
    for task in whole_run(study):
        reply = agent.answer(task)
        told.append(reply.header.epsilon)  # type: ignore[union-attr]
    assert told == sorted(told)
    lines = [(spend.noise_multiplier, spend.steps) for spend in spends(site)]
    assert study.privacy.mechanism == "dp-sgd"
    spent = composed_epsilon(lines, study.privacy.delta)
    assert 0.99 * study.privacy.epsilon < spent <= study.privacy.epsilon
    assert told[-1] == pytest.approx(spent, rel=1e-3)


def test_the_ledger_refuses_one_more_round(tmp_path: Path) -> None:
    study, site = small_study(tmp_path), hospital(tmp_path, max_epsilon=1000)
    agent = agent_of(site)
    for task in whole_run(study):
        agent.answer(task)
    assert refusal(agent.answer(ask_round(study, study.training.rounds + 1))) == "no-such-round"
    ledger = LedgerFile(site.state)
    more = ledger.spends[0].model_copy(update={"round": 99})
    with pytest.raises(PrivacyRefusal, match="budget-exhausted"):
        ledger.refuse_beyond(more, 1000.0)


@pytest.mark.usefixtures("no_training")
def test_a_run_that_is_spent_is_refused_before_training(tmp_path: Path) -> None:
    study, site = small_study(tmp_path), hospital(tmp_path, max_epsilon=1000)
    plan = plan_privacy(study)
    assert plan is not None
    fields = {"time": "2026-01-01T00:00:00+00:00", "study_name": "small", "stage": "encoders", "round": 50}
    used = {"noise_multiplier": 0.3, "steps": 5, "delta": plan.delta, "budget": 8.0, **DIGESTS}
    LedgerFile(site.state).append(Spend.model_validate({**fields, **used, "run": run_of(study)}))
    agent = agent_of(site)
    assert refusal(agent.answer(ask_round(study))) == "budget-exhausted"
    assert refusal(agent.answer(ask_tallies(study))) == "budget-exhausted"
    assert len(spends(site)) == 1


def test_the_hospitals_limit_holds_over_all_its_studies_and_restarts(tmp_path: Path) -> None:
    first, second = small_study(tmp_path), small_study(tmp_path, "seed=4")
    site = hospital(tmp_path, max_epsilon=9.0)
    for task in whole_run(first):
        assert agent_of(site).answer(task).header.kind != "refused"
    answers = [agent_of(site).answer(task).header for task in whole_run(second)]
    codes = [answer.code if isinstance(answer, Refused) else "released" for answer in answers]
    assert "hospital-limit" in codes
    assert set(codes) <= {"hospital-limit", "released"}
    lines = [(spend.noise_multiplier, spend.steps) for spend in spends(site)]
    assert composed_epsilon(lines, 1e-4) <= 9.0 * 1.001


@pytest.mark.usefixtures("no_training")
def test_a_hospital_whose_limit_is_used_up_does_not_train(tmp_path: Path) -> None:
    site, study = hospital(tmp_path, max_epsilon=8.0), small_study(tmp_path, "seed=4")
    fields = {"time": "2026-01-01T00:00:00+00:00", "study_name": "other", "stage": "encoders", "round": 1}
    used = {"noise_multiplier": 0.5, "steps": 1, "delta": 1e-4, "budget": 8.0, **DIGESTS}
    run = run_of(small_study(tmp_path))
    LedgerFile(site.state).append(Spend.model_validate({**fields, **used, "run": run}))
    agent = agent_of(site)
    assert refusal(agent.answer(ask_round(study))) == "hospital-limit"
    assert refusal(agent.answer(ask_tallies(study))) == "hospital-limit"


@pytest.mark.usefixtures("no_training")
def test_a_study_that_asks_too_much_is_refused_at_its_first_word(tmp_path: Path) -> None:
    site = hospital(tmp_path, max_epsilon=7.9)
    for question in (ask_counts, ask_round, ask_tallies):
        assert refusal(agent_of(site).answer(question(small_study(tmp_path)))) == "hospital-limit"


@pytest.mark.usefixtures("no_training")
def test_without_its_word_a_hospital_takes_part_under_privacy_only(tmp_path: Path) -> None:
    site, study = hospital(tmp_path), small_study(tmp_path).without_privacy()
    for question in (ask_counts, ask_round, ask_tallies):
        assert refusal(agent_of(site).answer(question(study))) == "privacy-required"


def test_another_hospitals_study_is_refused(tmp_path: Path) -> None:
    site = hospital(tmp_path).model_copy(update={"name": "elsewhere"})
    assert refusal(agent_of(site).answer(ask_counts(small_study(tmp_path)))) == "not-my-study"


def test_a_study_whose_text_is_not_that_of_its_digest_is_refused(tmp_path: Path) -> None:
    asked = ask_counts(small_study(tmp_path))
    other = asked.header.model_copy(update={"study": small_study(tmp_path, "seed=9").text})
    assert refusal(agent_of(hospital(tmp_path)).answer(Envelope(other))) == "wrong-digest"
