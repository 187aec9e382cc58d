"""A disk that is full in mid-release: the study stops with a clear refusal, nothing is half-sent, the ledger holds."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from client.ledger_file import LedgerFile
from client.site import Site
from client.state import APPROVALS
from client.verification import faults_of
from shared.wire import Envelope, Refused
from tests.faults.processes import disk, filled
from tests.resident import approve, real
from tests.small import ask_counts, ask_round, hospital, small_study


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """The operating system refuses to write beyond ``size`` bytes of any file, and writes what fits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def answered(site: Site, task: Envelope) -> Envelope:
    return real(site).answer(task)


def check(site: Site, task: Envelope, replies: list[Envelope]) -> None:
    """After room was made: one spend, one answer, whole books."""
    last = answered(site, task)
    assert last.header.kind == "trained"
    refused = [reply.header for reply in replies if isinstance(reply.header, Refused)]
    assert refused, "the disk was never full"
    assert {header.code for header in refused} == {"disk-full"}
    sent = {reply.to_bytes() for reply in [*replies, last] if not isinstance(reply.header, Refused)}
    assert len(sent) == 1, "a round left in two forms"
    assert len(LedgerFile(site.state).spends) == 1
    assert faults_of(site.state) == []


def test_a_limit_of_the_operating_system_met_at_every_step(tmp_path: Path) -> None:
    """The release (kilobytes), the ledger's line and the egress log's line each break at some size."""
    study, site = small_study(tmp_path), hospital(tmp_path)
    approve(site, study)
    answered(site, ask_counts(study))  # splits and a line of the egress log are there
    task, replies = ask_round(study), []
    for size in (0, 1, 200, 540, 600, 900, 1200, 1800, 2000, 2500, 3000):
        with no_file_beyond(size):
            replies.append(answered(site, task))
        assert len(LedgerFile(site.state).spends) <= 1
    check(site, task, replies)
    assert (site.state / APPROVALS).exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with disk(tmp_path / "disk", kilobytes=96) as mounted:
        if not mounted:
            pytest.skip("a file system cannot be mounted here")
        yield tmp_path / "disk"


def test_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    study, site = small_study(tmp_path), hospital(tmp_path)
    site = site.model_copy(update={"state": small_disk / "state"})
    approve(site, study)
    answered(site, ask_counts(study))
    task, replies = ask_round(study), []
    for pages in range(8):
        room = filled(small_disk, pages)
        replies.append(answered(site, task))
        room.unlink()
    check(site, task, replies)
