"""The budget of validation patients: in the hospital's limits, its ledger, its pages and the study's rules."""

import json
import math
from pathlib import Path

import pytest

from client.__main__ import COMMANDS, read_call
from client.ledger_file import LedgerFile
from shared.command_line import run_command
from shared.errors import PrivacyRefusal, StudyError
from shared.privacy.accounting import gaussian_epsilon
from shared.tensors import weights_digest
from shared.wire import Envelope, Refused
from tests.noised import BUDGET, answered, noised_study, refusal
from tests.resident import approve
from tests.small import agent_of, ask_counts, ask_figures, ask_round, ask_tallies, hospital, ledger, run_of, small_study


def test_the_hospitals_limit_is_also_that_of_its_validation_patients(tmp_path: Path) -> None:
    site = hospital(tmp_path, "south", max_epsilon=3.0, patients=60)
    small = ["privacy.epsilon=2.5"]
    codes = []
    for seed in range(4):
        study = noised_study(tmp_path, *small, f"seed={seed}")
        reply = agent_of(site).answer(ask_figures(study)).header
        codes.append(reply.code if isinstance(reply, Refused) else "told")
    assert codes == ["told", "told", "hospital-limit", "hospital-limit"]
    assert len(ledger(site)) == 2
    commitments = json.loads((site.state / "commitments.json").read_text())
    assert len(commitments) == 2, "what is refused commits the hospital to nothing"
    greedy = small_study(tmp_path, *small, "privacy.validation={epsilon=3.5, delta=1e-5}")
    assert refusal(agent_of(site).answer(ask_counts(greedy))) == "hospital-limit"


def test_those_who_train_and_those_who_validate_have_a_budget_each(tmp_path: Path) -> None:
    """A whole run of a hospital with both: each line stands for itself, and the hospital's total composes them all."""
    study, site = noised_study(tmp_path), hospital(tmp_path, "north", patients=120)
    agent = agent_of(site)
    rounds = [ask_round(study, number, stage) for stage in ("encoders", "fusion") for number in (1, 2)]
    told = [agent.answer(task).header for task in [*rounds, ask_tallies(study), ask_figures(study)]]
    assert told[-2].epsilon == pytest.approx(8.0, rel=0.01)  # type: ignore[union-attr]
    assert told[-1].epsilon == pytest.approx(2.0, rel=0.01)  # type: ignore[union-attr]
    book = LedgerFile(site.state)
    assert [spend.stage for spend in book.spends][-2:] == ["threshold", "validation"]
    more = book.spends[-1].model_copy(update={"round": 2})
    with pytest.raises(PrivacyRefusal, match="budget-exhausted"):
        book.refuse_beyond(more, 1000.0)


def test_a_large_delta_does_not_make_other_studies_look_cheap(tmp_path: Path) -> None:
    """The limit is held at the smallest delta of all, and no study may ask for more than the hospital's own delta."""
    site = hospital(tmp_path, max_epsilon=9.0)
    first = small_study(tmp_path)
    for number, stage in ((1, "encoders"), (2, "encoders"), (1, "fusion"), (2, "fusion")):
        assert agent_of(site).answer(ask_round(first, number, stage)).header.kind == "trained"
    book = LedgerFile(site.state)
    run = run_of(small_study(tmp_path, "seed=9"))
    cheap = book.spends[0].model_copy(update={"delta": 0.05, "run": run, "noise_multiplier": 0.45, "steps": 1})
    assert gaussian_epsilon(math.sqrt(sum(s.steps / s.noise_multiplier**2 for s in (*book.spends, cheap))), 0.05) < 9.0
    with pytest.raises(PrivacyRefusal, match="over all studies"):
        book.refuse_beyond(cheap, 9.0)
    lax = small_study(tmp_path, "privacy.delta=0.05")
    assert refusal(agent_of(site).answer(ask_counts(lax))) == "hospital-delta"
    lax = small_study(tmp_path, "privacy.validation={epsilon=1.0, delta=0.05}")
    assert refusal(agent_of(site).answer(ask_counts(lax))) == "hospital-delta"


def test_a_hospital_below_its_minimum_spends_nothing(tmp_path: Path) -> None:
    study, site = noised_study(tmp_path), hospital(tmp_path, "south", patients=19)
    header = answered(agent_of(site).answer(ask_figures(study)))
    assert (header.epsilon, header.releases) == (None, 0)
    assert all(own.noised is None and own.reasons == {"all": "too few to report"} for own in header.figures)
    assert ledger(site) == []


def test_only_an_outcome_of_one_question_can_be_noised(tmp_path: Path) -> None:
    words = 'outcome={kind="ordinal", column="ill", predicted_at="admission", classes={a=["no"], b=["yes"], c=["q"]}}'
    with pytest.raises(StudyError, match=r"privacy\.validation"):
        noised_study(tmp_path, words)
    with pytest.raises(StudyError, match=r"privacy\.validation"):
        small_study(tmp_path, 'privacy={mechanism="none", validation={epsilon=1.0, delta=1e-5}}')


def test_the_hospitals_pages_say_it_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study, site = noised_study(tmp_path), hospital(tmp_path, "south", patients=60)

    def shown(*words: str) -> str:
        arguments = read_call(list(words))
        assert run_command(lambda: COMMANDS[arguments.command](arguments)) == 0
        return " ".join(capsys.readouterr().out.split())

    files = [str(site.data / "site.toml"), "--study", str(tmp_path / "small.toml"), "--set", BUDGET]
    signed = ["--by", "A. Name", "--role", "data protection officer", "--until", "2099-01-01", "--yes"]
    asked = shown("approve", *files, *signed)
    assert "one table of its scores by class with noise in every cell, and no more" in asked
    assert "of patients who validate: epsilon 2 at delta 1e-05 per patient and run" in asked
    assert "runs that validate here: 1" in asked
    assert "left after this study 8.0" in asked
    assert "protected by aggregation" not in asked
    assert "Patients who validate: epsilon 2 a run at delta 1e-05." in shown("check", *files)
    approve(site, study)
    answered(agent_of(site).answer(ask_figures(study)))
    book = shown("ledger", str(site.data / "site.toml"))
    assert "validation 1 1.99" in book
    assert "Over all studies: epsilon 1.99" in book
    assert "evaluated" in shown("egress", str(site.data / "site.toml"))
    assert "hold together" in shown("egress", str(site.data / "site.toml"), "--verify")


def test_the_digest_of_the_models_still_binds(tmp_path: Path) -> None:
    study, site = noised_study(tmp_path), hospital(tmp_path, "south", patients=60)
    task = ask_figures(study)
    wrong = task.header.model_copy(update={"models": weights_digest({})})
    assert refusal(agent_of(site).answer(Envelope(wrong, task.arrays))) == "wrong-models"
    assert ledger(site) == []
