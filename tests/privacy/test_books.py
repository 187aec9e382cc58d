"""The hospital's books on disk: locked while one answers, whole after a crash, refused where they are damaged."""

import hashlib
import json
from pathlib import Path
from threading import Thread

import pytest

from client.agent.books import open_books
from client.chain import read_chain
from client.ledger_file import LedgerFile
from client.site import Site
from shared.errors import PrivacyRefusal
from shared.study import Study
from shared.wire import Refused
from tests.small import agent_of, ask_counts, ask_round, ask_tallies, hospital, ledger, outbox, small_study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return small_study(tmp_path)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return hospital(tmp_path)


def test_two_processes_do_not_spend_at_the_same_time(study: Study, site: Site) -> None:
    """A second agent waits until the first one's books are closed; both then count the same lines."""
    second = Thread(target=agent_of(site).answer, args=[ask_round(study)])
    with open_books(site):
        second.start()
        second.join(timeout=1.0)
        assert second.is_alive()
        assert ledger(site) == []
    second.join(timeout=60)
    assert len(ledger(site)) == 1
    assert (site.state / "lock").stat().st_mode & 0o077 == 0


def test_a_torn_last_line_is_dropped_whatever_bytes_it_holds(study: Study, site: Site) -> None:
    agent_of(site).answer(ask_round(study))
    path = site.state / "ledger.jsonl"
    whole = path.read_bytes()
    for torn in (b'{"time": "20', b"\xc3", whole[:-1]):
        path.write_bytes(whole + torn)
        assert len(LedgerFile(site.state).spends) == 1
        assert path.read_bytes() == whole
    assert not path.stat().st_mode & 0o077


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff\xfe", b'{"time": "now"'])
def test_a_ledger_damaged_in_the_middle_is_refused_and_left_alone(damage: bytes, study: Study, site: Site) -> None:
    agent_of(site).answer(ask_round(study))
    path = site.state / "ledger.jsonl"
    content = damage + b"\n" + path.read_bytes()
    path.write_bytes(content)
    for question in (ask_counts, ask_round, ask_tallies):
        reply = agent_of(site).answer(question(study))
        assert isinstance(reply.header, Refused)
        assert reply.header.code == "ledger-unreadable"
        assert not reply.arrays
    with pytest.raises(PrivacyRefusal, match="ledger-unreadable"):
        LedgerFile(site.state)
    assert path.read_bytes() == content
    assert len(outbox(site)) == 1


@pytest.mark.parametrize("name", ["egress.jsonl", "ledger.jsonl"])
def test_a_book_is_a_chain_that_a_crash_does_not_break(name: str, study: Study, site: Site) -> None:
    agent_of(site).answer(ask_round(study))
    path = site.state / name
    path.write_bytes(path.read_bytes() + b'{"time": "20')
    for number in range(1, 3):
        agent_of(site).answer(ask_round(study, number, "fusion"))
    lines = path.read_text().splitlines()
    assert len(lines) == 3
    before = "0" * 64
    for number, line in enumerate(lines, start=1):
        assert json.loads(line)["before"] == before
        assert json.loads(line)["number"] == number
        before = hashlib.sha256(line.encode()).hexdigest()
    assert read_chain(path).links[-1].hash == before
