"""Compares a hospital's books with each other and says what was altered, removed or put back; changes nothing."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from client.chain import Link, Reading, hashes, read_chain, texts
from client.egress_log import digests, missing_heads
from client.state import APPROVALS, EGRESS, LEDGER, kept_copy


def faults_of(state: Path) -> list[str]:
    """One sentence a fault, of the books in a state folder; none where they agree."""
    ledger, egress, approvals = (read_chain(state / name) for name in (LEDGER, EGRESS, APPROVALS))
    return [
        *texts(state / LEDGER, ledger.breaks),
        *_altered(ledger, egress),
        *_cut(ledger, egress),
        *_unkept(state, ledger),
        *texts(state / EGRESS, egress.breaks),
        *_unlogged(ledger, egress),
        *texts(state / APPROVALS, approvals.breaks),
        *_unapproved(approvals, egress),
        *(
            f"{name}: its last line has no end, as after a crash; the next answer mends it"
            for name, reading in ((LEDGER, ledger), (EGRESS, egress), (APPROVALS, approvals))
            if reading.torn
        ),
    ]


def _missing(ledger: Reading, egress: Reading) -> Iterator[Link]:
    """Lines of the egress log with a head that is no line of the ledger, and that nobody signed off."""
    missing = missing_heads(list(egress.links), hashes(ledger.links))
    return (link for link in egress.links if link.values.get("head") in missing)


def _altered(ledger: Reading, egress: Reading) -> Iterator[str]:
    """Lines of the ledger that are not those whose hash went out; where the chain shows them, it said so."""
    held = {link.number for link in ledger.links} - {fault.number for fault in ledger.breaks}
    seen: set[int] = set()
    for link in _missing(ledger, egress):
        number = link.values["lines"]
        if number in held - seen:
            seen.add(number)
            yield f"{LEDGER} line {number}: was altered after it was written, as {EGRESS} line {link.number} shows"


def _cut(ledger: Reading, egress: Reading) -> Iterator[str]:
    """The end of the ledger, as far as the egress log knows it; one sentence for all lines that are gone."""
    end = max([link.number for link in ledger.links], default=0)
    beyond = [link for link in _missing(ledger, egress) if link.values["lines"] > end]
    if beyond:
        last = max(link.values["lines"] for link in beyond)
        yield (
            f"{LEDGER}: ends at line {end}, and line {last} was there when {EGRESS} line {beyond[0].number} was "
            "written: its end was cut off, or an old file put back"
        )
    elsewhere = missing_heads(list(egress.links), hashes(ledger.links)) - {
        link.values.get("head") for link in egress.links
    }
    for head in sorted(elsewhere):
        yield f"{LEDGER}: lacks line {head[:12]}, which a server has: its end was cut off, or an old file put back"


def _unapproved(approvals: Reading, egress: Reading) -> Iterator[str]:
    """Answers whose approval is no line of the file; a simulation's answers name none."""
    named = {link.values["approval"]: link.number for link in reversed(egress.links) if link.values.get("approval")}
    for approval in named.keys() - hashes(approvals.links):
        yield f"{APPROVALS}: lacks a line by which {EGRESS} line {named[approval]} was answered"


def _unkept(state: Path, ledger: Reading) -> Iterator[str]:
    """Lines of the ledger whose release is not in the outbox as it was released."""
    for link in ledger.links:
        digest = str(link.values.get("digest"))
        path = kept_copy(state, digest)
        if not path.exists():
            yield f"{LEDGER} line {link.number}: the copy of its release is not in the outbox"
        elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            yield f"{LEDGER} line {link.number}: the copy of its release in the outbox was altered"


def _unlogged(ledger: Reading, egress: Reading) -> Iterator[str]:
    """Lines of the ledger without their line in the egress log; where that has gaps, its chain said so."""
    logged = digests(list(egress.links))
    without = [link for link in ledger.links if link.values.get("digest") not in logged]
    tail = _tail(without, ledger.links)
    if not egress.breaks:
        for link in without[: len(without) - len(tail)]:
            yield f"{LEDGER} line {link.number}: {EGRESS} has no line of its release"
    if tail:
        yield (
            f"{EGRESS}: ends before the release of {LEDGER} line {tail[0].number}: its end was cut off, an old file "
            "put back, or a crash came between the two, which the next question for that round mends"
        )


def _tail(some: Sequence[Link], all_of_them: Sequence[Link]) -> Sequence[Link]:
    """Those of ``some`` that are the last of all, without a gap."""
    count = 0
    while count < len(some) and some[-1 - count] is all_of_them[-1 - count]:
        count += 1
    return some[len(some) - count :]
