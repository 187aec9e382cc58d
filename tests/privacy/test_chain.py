"""The books are chained: what was altered, removed or put in is found, refused, and left for a person to look at."""

from collections.abc import Callable
from pathlib import Path

import pytest

from client.chain import read_chain
from client.ledger_file import LedgerFile
from client.site import Site
from client.verification import faults_of
from shared.errors import PrivacyRefusal
from shared.study import Study
from tests.books import ROUNDS, altered, four_rounds, lines_of, refusal, write
from tests.small import (
    agent_of,
    ask_counts,
    ask_figures,
    ask_round,
    ask_tallies,
    hospital,
    ledger,
    outbox,
    small_study,
)

QUESTIONS = [ask_counts, ask_round, ask_tallies, ask_figures]
BOOKS = ["ledger.jsonl", "egress.jsonl"]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return small_study(tmp_path)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return hospital(tmp_path)


# What is done to the lines of a book, and the line and words by which it is found.
DAMAGE: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "altered": (lambda lines: [altered(lines[0], round=7), *lines[1:]], "line 1: was altered after it was written"),
    "altered, the third": (
        lambda lines: [*lines[:2], altered(lines[2], time="2000-01-01"), lines[3]],
        "line 3: was altered after it was written",
    ),
    "by one space": (lambda lines: [lines[0], f"{lines[1]} ", *lines[2:]], "line 2: was altered"),
    "the first removed": (lambda lines: lines[1:], "line 2: line 1 was removed before it"),
    "removed": (lambda lines: [lines[0], *lines[2:]], "line 3: line 2 was removed before it"),
    "two removed": (lambda lines: [lines[0], lines[3]], "line 4: lines 2 to 3 were removed before it"),
    "swapped": (lambda lines: [lines[0], lines[2], lines[1], lines[3]], "line 2: was put in, or moved"),
    "twice": (lambda lines: [*lines[:2], *lines[1:]], "line 2: was put in, or moved"),
    "no JSON": (lambda lines: [lines[0], lines[1][:-9], *lines[2:]], "line 2: cannot be read"),
    "a blank line": (lambda lines: [lines[0], "", *lines[1:]], "line 2: cannot be read"),
}


@pytest.mark.parametrize("name", BOOKS)
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_line_altered_or_removed_is_found_when_the_book_is_read(
    damage: str, name: str, study: Study, site: Site
) -> None:
    four_rounds(study, site)
    assert faults_of(site.state) == []
    change, sentence = DAMAGE[damage]
    path = site.state / name
    write(path, change(lines_of(path)))
    content, kept = path.read_bytes(), outbox(site)
    code = f"{path.stem}-unreadable"
    for question in QUESTIONS:
        assert refusal(agent_of(site).answer(question(study))) == code
    assert path.read_bytes() == content, "what is damaged is left for a person to look at"
    assert outbox(site) == kept
    assert [fault for fault in faults_of(site.state) if f"{name} {sentence}" in fault]


def test_the_refusal_says_what_the_hospitals_own_people_can_do(study: Study, site: Site) -> None:
    four_rounds(study, site)
    path = site.state / "ledger.jsonl"
    write(path, lines_of(path)[1:])
    with pytest.raises(PrivacyRefusal, match=r"egress site.toml --verify.*put back.*ledger site.toml --resolve"):
        LedgerFile(site.state)


def test_reading_a_book_while_its_agent_writes_changes_nothing(study: Study, site: Site) -> None:
    """Half a line may be on its way: only the process that holds the lock may cut it."""
    four_rounds(study, site)
    path = site.state / "ledger.jsonl"
    path.write_bytes(path.read_bytes() + b'{"number": 5, "ti')
    content = path.read_bytes()
    reading = read_chain(path)
    assert (len(reading.links), reading.breaks, reading.torn) == (4, (), True)
    assert [fault for fault in faults_of(site.state) if "its last line has no end" in fault]
    assert path.read_bytes() == content


def test_a_crash_between_ledger_and_egress_log_is_told_and_mended(study: Study, site: Site) -> None:
    four_rounds(study, site)
    path = site.state / "egress.jsonl"
    write(path, lines_of(path)[:3])
    (told,) = faults_of(site.state)
    assert "egress.jsonl: ends before the release of ledger.jsonl line 4" in told
    agent_of(site).answer(ask_round(study, *ROUNDS[-1]))
    assert faults_of(site.state) == []


def test_what_the_books_say_of_each_other(study: Study, site: Site) -> None:
    """One sentence a fault: a release not kept, an altered copy, an old log put back and written on."""
    four_rounds(study, site)
    names = [line["digest"] for line in ledger(site)]
    files = [site.state / "outbox" / f"{name}.safetensors" for name in names]
    files[0].unlink()
    files[2].write_bytes(files[2].read_bytes()[:-1] + b"!")
    path = site.state / "egress.jsonl"
    write(path, lines_of(path)[:3])
    agent_of(site).answer(ask_tallies(study))
    assert faults_of(site.state) == [
        "ledger.jsonl line 1: the copy of its release is not in the outbox",
        "ledger.jsonl line 3: the copy of its release in the outbox was altered",
        "ledger.jsonl line 4: egress.jsonl has no line of its release",
    ]
