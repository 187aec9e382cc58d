"""A release is in the outbox, then in the ledger, then in the egress log, then sent; a crash anywhere costs nothing."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from client.agent.agent import Agent
from client.egress_log import EgressLog
from client.ledger_file import LedgerFile
from client.outbox import Outbox
from client.site import Site
from shared.study import Study
from shared.wire import Envelope, Refused, Trained
from tests.small import agent_of, ask_counts, ask_round, ask_tallies, egress, hospital, ledger, outbox, small_study

Undo = pytest.MonkeyPatch
QUESTIONS = [ask_round, ask_tallies]


class Crash(BaseException):
    """The process ends here: nothing catches it."""


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return small_study(tmp_path)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return hospital(tmp_path)


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_step_is_on_the_disk_before_the_next(
    question: Callable[[Study], Envelope], study: Study, site: Site, monkeypatch: Undo
) -> None:
    agent, synced, real = agent_of(site), [], os.fsync

    def fsync(handle: int) -> None:
        real(handle)
        synced.append((os.fstat(handle).st_ino, len(outbox(site)), len(ledger(site)), len(egress(site))))

    monkeypatch.setattr(os, "fsync", fsync)
    reply = agent.answer(question(study))
    monkeypatch.undo()
    assert not isinstance(reply.header, Refused)
    files = [outbox(site)[0], site.state / "ledger.jsonl", site.state / "egress.jsonl"]
    order = [inode for inode, *_ in synced]
    places = [order.index(path.stat().st_ino) for path in files]
    assert places == sorted(places)
    assert site.state.joinpath("outbox").stat().st_ino in order[places[0] : places[1]]  # its name is synced, too
    assert [counts for _, *counts in synced][places[1]] == [1, 1, 0]
    assert [counts for _, *counts in synced][places[2]] == [1, 1, 1]


@pytest.mark.parametrize("question", QUESTIONS)
def test_ledger_and_egress_log_name_the_bytes_that_left(
    question: Callable[[Study], Envelope], study: Study, site: Site
) -> None:
    reply = agent_of(site).answer(question(study))
    assert [path.stem for path in outbox(site)] == [reply.digest]
    assert outbox(site)[0].read_bytes() == reply.with_head(None).to_bytes()
    assert [line["digest"] for line in ledger(site)] == [reply.digest]
    assert [line["digest"] for line in egress(site)] == [reply.digest]
    assert egress(site)[0]["epsilon"] == pytest.approx(reply.header.epsilon)  # type: ignore[union-attr]
    assert all(not path.stat().st_mode & 0o077 for path in (site.state, *site.state.rglob("*")))


def crash_at(monkeypatch: Undo, owner: type, name: str, after: bool) -> None:
    real = getattr(owner, name)

    def crash(self: object, *given: object) -> None:
        if after:
            real(self, *given)
        raise Crash

    monkeypatch.setattr(owner, name, crash)


def crash_in_mid_line(monkeypatch: Undo) -> None:
    def torn(path: Path, line: str) -> None:
        with path.open("a") as file:
            file.write(line[: len(line) // 2])
        raise Crash

    monkeypatch.setattr("client.chain.append_synced", torn)


def crash_before_renaming(monkeypatch: Undo) -> None:
    def stopped(*_: object) -> None:
        raise Crash

    monkeypatch.setattr("client.state.os.replace", stopped)


BEFORE_THE_LINE: dict[str, Callable[[Undo], None]] = {
    "before the outbox": lambda undo: crash_at(undo, Outbox, "put", after=False),
    "within the outbox": crash_before_renaming,
    "after the outbox": lambda undo: crash_at(undo, Outbox, "put", after=True),
    "before the line": lambda undo: crash_at(undo, LedgerFile, "append", after=False),
    "within the line": crash_in_mid_line,
}
AFTER_THE_LINE: dict[str, Callable[[Undo], None]] = {
    "after the line": lambda undo: crash_at(undo, LedgerFile, "append", after=True),
    "before the egress log": lambda undo: crash_at(undo, EgressLog, "append", after=False),
    "after the egress log": lambda undo: crash_at(undo, EgressLog, "append", after=True),
}


def crashed(site: Site, question: Envelope, point: Callable[[Undo], None], monkeypatch: Undo) -> Agent:
    """The agent that was interrupted, whose memory must not matter."""
    agent_of(site).answer(ask_round(small_study(site.data.parent, "seed=4")))  # a line that must survive
    agent = agent_of(site)
    with monkeypatch.context() as undo:
        point(undo)
        with pytest.raises(Crash):
            agent.answer(question)
    return agent


RESTART = pytest.mark.parametrize("restart", [False, True])


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("point", BEFORE_THE_LINE)
@RESTART
def test_before_its_line_a_release_is_destroyed_and_nothing_is_spent(
    restart: bool, point: str, question: Callable[[Study], Envelope], study: Study, site: Site, monkeypatch: Undo
) -> None:
    agent = crashed(site, question(study), BEFORE_THE_LINE[point], monkeypatch)
    agent = agent_of(site) if restart else agent
    lost = {path.name for path in outbox(site)}
    agent.answer(ask_counts(study))  # whatever is asked next
    kept = {path.name for path in outbox(site)}
    assert kept == {f"{line['digest']}.safetensors" for line in ledger(site)}
    assert len(kept) == len(ledger(site)) == 1
    reply = agent.answer(question(study))
    assert not isinstance(reply.header, Refused)
    assert f"{reply.digest}.safetensors" not in lost
    assert [line["digest"] for line in ledger(site)][1:] == [reply.digest]


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("point", AFTER_THE_LINE)
@RESTART
def test_after_its_line_the_same_bytes_are_sent_and_nothing_is_spent_anew(
    restart: bool, point: str, question: Callable[[Study], Envelope], study: Study, site: Site, monkeypatch: Undo
) -> None:
    agent = crashed(site, question(study), AFTER_THE_LINE[point], monkeypatch)
    released = ledger(site)[-1]["digest"]
    kept = (site.state / "outbox" / f"{released}.safetensors").read_bytes()
    for _ in range(2):
        reply = (agent_of(site) if restart else agent).answer(question(study))
        assert reply.with_head(None).to_bytes() == kept
        assert len(ledger(site)) == 2
    assert {line["digest"] for line in egress(site)} == {line["digest"] for line in ledger(site)}


@RESTART
def test_a_round_is_answered_once(restart: bool, study: Study, site: Site) -> None:
    agent, task = agent_of(site), ask_round(study)
    first = agent.answer(task)
    agent = agent_of(site) if restart else agent
    assert agent.answer(task).to_bytes() == first.to_bytes()
    other = {name: values + 1 for name, values in task.arrays.items()}
    refused = agent.answer(ask_round(study, weights=other)).header
    assert isinstance(refused, Refused)
    assert refused.code == "round-answered"
    assert len(ledger(site)) == 1
    assert agent.answer(ask_round(study, 2, weights=other)).header.kind == "trained"
    assert len(ledger(site)) == 2


def test_a_lost_or_damaged_copy_is_not_replaced(study: Study, site: Site) -> None:
    agent_of(site).answer(ask_round(study))
    path = outbox(site)[0]
    content = bytearray(path.read_bytes())
    for damage, code in ((len(content) - 1, "release-damaged"), (9, "release-damaged"), (None, "release-lost")):
        if damage is None:
            path.unlink()
        else:
            path.write_bytes(bytes(byte ^ (place == damage) for place, byte in enumerate(content)))
        refused = agent_of(site).answer(ask_round(study)).header
        assert isinstance(refused, Refused)
        assert refused.code == code
    assert len(ledger(site)) == 1


@pytest.mark.parametrize("written", ["nothing", "half", "all"])
@RESTART
def test_after_a_failed_write_the_next_answer_goes_by_what_the_ledger_holds(
    restart: bool, written: str, study: Study, site: Site, monkeypatch: Undo
) -> None:
    agent = agent_of(site)

    def unsure(path: Path, line: str) -> None:
        path.write_text({"nothing": "", "half": line[: len(line) // 2], "all": f"{line}\n"}[written])
        raise OSError("no space left at /srv/patients")

    with monkeypatch.context() as undo:
        undo.setattr("client.chain.append_synced", unsure)
        failed = agent.answer(ask_round(study))
    assert isinstance(failed.header, Refused)
    assert failed.header.code == "internal"
    assert "/srv" not in failed.header.sentence
    unsent = outbox(site)[0].stem
    agent = agent_of(site) if restart else agent
    again = agent.answer(ask_round(study))
    assert isinstance(again.header, Trained)
    assert (again.digest == unsent) == (written == "all")  # with its line it was spent, and is sent; else it is anew
    assert [line["digest"] for line in ledger(site)] == [path.stem for path in outbox(site)] == [again.digest]
    assert len(ledger(site)) == 1


def test_without_privacy_nothing_is_kept_and_every_message_is_logged(tmp_path: Path) -> None:
    site, study = hospital(tmp_path, open_to_all=True), small_study(tmp_path).without_privacy()
    agent: Agent = agent_of(site)
    replies = [agent.answer(question(study)) for question in (ask_counts, ask_round, ask_tallies)]
    assert isinstance(replies[1].header, Trained)
    assert replies[1].header.epsilon is None
    assert ledger(site) == outbox(site) == []
    assert [line["digest"] for line in egress(site)] == [reply.digest for reply in replies]
