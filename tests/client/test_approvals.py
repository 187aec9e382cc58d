"""A study runs at a hospital only while a named person's approval of exactly this study holds there."""

import datetime
import io
import json
from pathlib import Path

import pytest

from client.__main__ import COMMANDS, read_call
from client.ledger_file import LedgerFile
from client.site import Site
from client.state import APPROVALS
from client.verification import faults_of
from shared.command_line import run_command
from shared.privacy.records import spent
from shared.study import Study
from shared.wire import Described, Envelope, Refused
from tests.resident import approve, real
from tests.small import ask_counts, ask_figures, ask_round, ask_tallies, egress, hospital, ledger, run_of, small_study

QUESTIONS = [ask_counts, ask_round, ask_tallies, ask_figures]
SIGNED = ["--by", "A. Name", "--role", "data protection officer", "--until"]


def refusal(reply: Envelope) -> Refused:
    assert isinstance(reply.header, Refused), reply.header
    assert not reply.arrays
    return reply.header


def call(*words: object) -> int:
    arguments = read_call([str(word) for word in words])
    return run_command(lambda: COMMANDS[arguments.command](arguments))


def day(days: int) -> str:
    return (datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=days)).isoformat()


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_nobody_approved_is_refused_and_noted(question, tmp_path: Path) -> None:
    study, site = small_study(tmp_path), hospital(tmp_path)
    task = question(study).with_head("1" * 64)
    told = refusal(real(site).answer(task))
    assert (told.code, study.digest[:12] in told.sentence) == ("not-approved", True)
    (line,) = egress(site)
    assert (line["kind"], line["code"], line["study"]) == ("refused", "not-approved", study.digest)
    assert line["asked"] is None, "a head that it names is not believed"
    assert not ledger(site)
    assert not (site.state / "splits").exists(), "the data were not even read"


def test_an_approval_is_for_one_study_with_its_overrides(tmp_path: Path) -> None:
    study, site = small_study(tmp_path), hospital(tmp_path)
    approve(site, study)
    other = small_study(tmp_path, "training.rounds=3")
    agent = real(site)
    assert isinstance(agent.answer(ask_counts(study)).header, Described)
    assert refusal(agent.answer(ask_counts(other))).code == "not-approved"
    under_its_digest = ask_counts(other).header.model_copy(update={"run": run_of(study)})
    assert refusal(real(site).answer(Envelope(under_its_digest))).code == "wrong-digest"


def test_the_last_day_counts_and_the_next_does_not(tmp_path: Path) -> None:
    study, site = small_study(tmp_path), hospital(tmp_path)
    approve(site, study, days=0)
    assert isinstance(real(site).answer(ask_counts(study)).header, Described)
    approve(site, study, days=-1)
    assert "has ended" in refusal(real(site).answer(ask_counts(study))).sentence


def test_a_revoked_study_stops_at_once_in_an_agent_that_runs(tmp_path: Path) -> None:
    study, site = small_study(tmp_path), hospital(tmp_path)
    approve(site, study)
    agent = real(site)
    assert agent.answer(ask_round(study)).header.kind == "trained"
    assert call("revoke", site.data / "site.toml", "--study", study.digest[:8], "--by", "B", "--reason", "over") == 0
    assert "revoked" in refusal(agent.answer(ask_round(study))).sentence, "nor is what is kept sent again"
    assert call("revoke", site.data / "site.toml", "--study", study.digest[:8], "--by", "B", "--reason", "over") == 2


def test_an_altered_file_of_approvals_allows_nothing(tmp_path: Path) -> None:
    study, site = small_study(tmp_path), hospital(tmp_path)
    approve(site, study, days=-9)
    path = site.state / APPROVALS
    approve(site, small_study(tmp_path, "seed=4"))
    path.write_text(path.read_text().replace(day(-9), day(9)))
    assert refusal(real(site).answer(ask_counts(study))).code == "approvals-unreadable"


def test_each_answer_names_the_approval_that_allowed_it(tmp_path: Path) -> None:
    study, site = small_study(tmp_path), hospital(tmp_path)
    approve(site, study)
    real(site).answer(ask_counts(study))
    assert faults_of(site.state) == []
    (site.state / APPROVALS).unlink()
    assert faults_of(site.state) == ["approvals.jsonl: lacks a line by which egress.jsonl line 1 was answered"]


def approved(site: Site, study: Study, *more: str) -> int:
    path = site.data.parent / "study.json"
    path.write_text(study.text, encoding="utf-8")
    return call("approve", site.data / "site.toml", "--study", path, *SIGNED, day(30), *more)


def test_the_command_says_what_is_asked_and_notes_the_yes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study, site = small_study(tmp_path, "training.rounds=3"), hospital(tmp_path)
    assert approved(site, study, "--yes") == 0
    said = " ".join(capsys.readouterr().out.split())
    for text in (
        *("training.rounds=3", "trains in 1 of 1 folds", "clinical: age, sex", "blood: crp, hb", "patient_id, ill"),
        *("epsilon 8 at delta 0.0001", "left now 10.000, left after this study 2.008", "updates of the model"),
        *("no figure of fewer than 20 patients or 10 of a class", study.digest),
    ):
        assert text in said
    (line,) = [json.loads(line) for line in (site.state / APPROVALS).read_text().splitlines()]
    assert (line["by"], line["role"], line["until"]) == ("A. Name", "data protection officer", day(30))
    assert line["study"] == study.digest
    assert not (site.state / APPROVALS).stat().st_mode & 0o077
    assert isinstance(real(site).answer(ask_counts(study)).header, Described)
    assert call("approvals", site.data / "site.toml") == 0
    assert study.digest[:12] in capsys.readouterr().out


def test_what_other_studies_spent_is_not_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study, site = small_study(tmp_path), hospital(tmp_path)
    first = small_study(tmp_path, "seed=4")
    approve(site, first)
    assert real(site).answer(ask_round(first)).header.kind == "trained"
    assert approved(site, study, "--yes") == 0
    said = " ".join(capsys.readouterr().out.split())
    now, after = (float(said.split(text)[1].split()[0].strip(",")) for text in ("left now ", "left after this study "))
    assert now == pytest.approx(10 - spent(LedgerFile(site.state).spends, 1e-4), abs=1e-3)
    assert after < 2.008


@pytest.mark.parametrize(("answer", "code"), [("yes\n", 0), ("no\n", 1), ("", 1), ("y\n", 1)])
def test_only_yes_is_a_yes(answer: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, site = small_study(tmp_path), hospital(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert approved(site, study) == code
    assert (site.state / APPROVALS).exists() == (code == 0)


def test_a_study_without_privacy_is_told_in_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    from client.approve_page import print_request

    study, site = small_study(tmp_path).without_privacy(), hospital(tmp_path, open_to_all=True)
    console = Console(force_terminal=True, color_system="standard", file=io.StringIO())
    print_request(site, study, [], console)
    assert "\x1b[1;31m  WITHOUT PRIVACY" in console.file.getvalue()


@pytest.mark.parametrize("fault", ["not a site", "limit", "past"])
def test_what_cannot_run_here_cannot_be_approved(fault: str, tmp_path: Path) -> None:
    site = hospital(tmp_path, max_epsilon=1.0 if fault == "limit" else 10.0)
    study = small_study(tmp_path)
    path = tmp_path / "study.json"
    path.write_text(study.text.replace('"north"', '"east"') if fault == "not a site" else study.text)
    until = day(-1) if fault == "past" else day(1)
    assert call("approve", site.data / "site.toml", "--study", path, *SIGNED, until, "--yes") == 2
    assert not (site.state / APPROVALS).exists()
