"""The ledger's head travels: a hospital that is behind the last one it gave out refuses until a person signs."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from client.chain import START, read_chain
from client.ledger_file import LedgerFile
from client.sign_off import resolve
from client.site import Site
from client.verification import faults_of
from shared.privacy.records import spent
from shared.study import Study
from shared.wire import Envelope, Trained
from tests.books import ROUNDS, altered, four_rounds, head_of, lines_of, refusal, write
from tests.small import (
    agent_of,
    ask_counts,
    ask_figures,
    ask_round,
    ask_tallies,
    egress,
    hospital,
    ledger,
    outbox,
    small_study,
)

QUESTIONS = [ask_counts, ask_round, ask_tallies, ask_figures]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return small_study(tmp_path)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return hospital(tmp_path)


def test_each_reply_carries_the_head_that_its_ledger_line_made(study: Study, site: Site) -> None:
    agent = agent_of(site)
    assert head_of(agent.answer(ask_counts(study))) == START
    first, second = four_rounds(study, site), [link.hash for link in read_chain(site.state / "ledger.jsonl").links]
    assert first == second
    assert head_of(agent.answer(ask_counts(study))) == first[-1]
    again = agent.answer(ask_round(study, *ROUNDS[1]))
    assert head_of(again) == first[1], "the same bytes again, and so the head of that release"
    assert [line["head"] for line in egress(site)] == [START, *first, first[-1], first[1]]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_asked_again_with_another_head_is_the_same_question(
    question: Callable[[Study], Envelope], study: Study, site: Site
) -> None:
    """After a crash of the server it may ask with the same head, an older one, or none."""
    agent, asked = agent_of(site), question(study)
    first = agent.answer(asked)
    spent_then = ledger(site)
    for head in (head_of(first), START, None):
        task = asked.with_head(head)
        assert task.digest == asked.digest
        reply = agent_of(site).answer(task)
        assert reply.to_bytes() == first.to_bytes()
    assert ledger(site) == spent_then


def ask_three(study: Study, site: Site, head: str | None) -> list[str]:
    questions = (ask_counts, ask_tallies, lambda study: ask_round(study, *ROUNDS[-1]))
    return [refusal(agent_of(site).answer(question(study).with_head(head))) for question in questions]


CUTS: dict[str, Callable[[Site], None]] = {
    "one line": lambda site: write(site.state / "ledger.jsonl", lines_of(site.state / "ledger.jsonl")[:3]),
    "three lines": lambda site: write(site.state / "ledger.jsonl", lines_of(site.state / "ledger.jsonl")[:1]),
    "deleted": lambda site: (site.state / "ledger.jsonl").unlink(),
    "the last altered": lambda site: write(
        site.state / "ledger.jsonl",
        [
            *lines_of(site.state / "ledger.jsonl")[:3],
            altered(lines_of(site.state / "ledger.jsonl")[3], noise_multiplier=1e6),
        ],
    ),
}


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("log", ["as it was", "cut as well"])
def test_a_ledger_behind_its_last_head_refuses_until_a_person_signs(
    cut: str, log: str, study: Study, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    heads, before = four_rounds(study, site), LedgerFile(site.state).spends
    CUTS[cut](site)
    if log == "cut as well":
        (site.state / "egress.jsonl").unlink()
    asked = None if log == "as it was" else heads[-1]  # the log knows it by itself; else the server's word is needed
    assert set(ask_three(study, site, asked)) == {"ledger-behind"}
    assert set(ask_three(study, site, None)) == {"ledger-behind"}, "and it is not forgotten"
    assert [fault for fault in faults_of(site.state) if fault.startswith("ledger.jsonl")]
    assert resolve(site.data / "site.toml", "A. Name", "restored from the backup") == 0
    signed = egress(site)[-1]
    assert (signed["kind"], signed["by"], signed["reason"]) == ("resolved", "A. Name", "restored from the backup")
    assert "Signed off by A. Name" in capsys.readouterr().out
    agent = agent_of(site)
    assert head_of(agent.answer(ask_counts(study).with_head(heads[-1])))
    after = LedgerFile(site.state).spends
    if log == "as it was":
        assert faults_of(site.state) == []
        assert spent(after, 1e-4) >= spent(before, 1e-4) - 1e-9, "what the log knows was spent is entered again"
        assert {spend.digest for spend in after} == {spend.digest for spend in before}
        again = agent.answer(ask_round(study, *ROUNDS[-1]))
        assert isinstance(again.header, Trained)
        assert again.digest == before[-1].digest, "the same bytes are sent again, and nothing is spent anew"


def test_a_whole_state_folder_restored_from_a_backup_is_behind(study: Study, site: Site, tmp_path: Path) -> None:
    agent = agent_of(site)
    old = head_of(agent.answer(ask_round(study)))
    shutil.copytree(site.state, tmp_path / "backup")
    new = head_of(agent.answer(ask_round(study, 2).with_head(old)))
    shutil.rmtree(site.state)
    shutil.copytree(tmp_path / "backup", site.state)
    assert faults_of(site.state) == [], "the books agree with each other: only the server knows"
    assert agent_of(site).answer(ask_counts(study).with_head(old)).header.kind == "described"
    assert refusal(agent_of(site).answer(ask_round(study, 2).with_head(new))) == "ledger-behind"
    assert len(ledger(site)) == len(outbox(site)) == 1


def test_the_right_file_put_back_needs_no_signature(study: Study, site: Site) -> None:
    heads = four_rounds(study, site)
    path = site.state / "ledger.jsonl"
    right = path.read_bytes()
    path.unlink()
    assert set(ask_three(study, site, heads[-1])) == {"ledger-behind"}
    path.write_bytes(right)
    assert agent_of(site).answer(ask_counts(study).with_head(heads[-1])).header.kind == "described"


def test_a_signature_holds_for_what_was_missing_then_and_no_more(study: Study, site: Site) -> None:
    heads = four_rounds(study, site)
    path = site.state / "ledger.jsonl"
    write(path, lines_of(path)[:2])
    cut = path.read_bytes()
    assert resolve(site.data / "site.toml", "A. Name", "first") == 0
    assert agent_of(site).answer(ask_tallies(study).with_head(heads[-1])).header.kind == "tallied"
    path.write_bytes(cut)
    assert set(ask_three(study, site, None)) == {"ledger-behind"}


def test_nothing_is_signed_off_where_nothing_is_missing(study: Study, site: Site) -> None:
    four_rounds(study, site)
    lines = egress(site)
    assert resolve(site.data / "site.toml", "A. Name", "to be sure") == 0
    assert egress(site) == lines


def test_the_server_brings_back_the_last_head_of_each_hospital(federation) -> None:  # type: ignore[no-untyped-def]
    run = federation("lscc-staging", sites=3, rounds=2, overrides=['arms.run=["federated"]'])
    assert run.failures == []
    for name in run.study.sites:
        messages = [crossing for crossing in run.messages if crossing.site == name]
        last = None
        for crossing in messages:
            if crossing.direction == "in":
                assert crossing.envelope.header.head == last
            else:
                last = crossing.envelope.header.head
                assert last is not None
        lines = read_chain(run.folder / "hospitals" / name / run.records[0].run.name / "ledger.jsonl").links
        assert last == (lines[-1].hash if run.ledgers[name] else START)


@pytest.mark.parametrize(
    ("cut", "sentences"),
    [
        ("one line", ["ledger.jsonl: ends at line 3, and line 4 was there when egress.jsonl line 4 was written"]),
        ("three lines", ["ledger.jsonl: ends at line 1, and line 4 was there when egress.jsonl line 2 was written"]),
        ("deleted", ["ledger.jsonl: ends at line 0, and line 4 was there when egress.jsonl line 1 was written"]),
        ("the last altered", ["ledger.jsonl line 4: was altered after it was written, as egress.jsonl line 4 shows"]),
    ],
)
def test_one_sentence_says_which_line_and_what(cut: str, sentences: list[str], study: Study, site: Site) -> None:
    four_rounds(study, site)
    CUTS[cut](site)
    told = faults_of(site.state)
    assert [fault[: len(sentence)] for fault, sentence in zip(told, sentences, strict=True)] == sentences
