"""An agent killed at any moment (SIGKILL) behind its socket, and started again: nothing is spent or sent anew."""

import multiprocessing
import signal
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest

from client.chain import read_chain
from client.exchange import exchange
from client.ledger_file import LedgerFile
from client.site import Site
from client.state import EGRESS, LEDGER, OUTBOX
from client.verification import faults_of
from shared.privacy.records import spent
from shared.study import Study
from shared.wire import Envelope, Evaluated, Refused, Reply, Tallied, Trained
from tests.faults.hospital import serve
from tests.noised import noised_study
from tests.resident import approve, target
from tests.small import ask_counts, ask_figures, ask_round, ask_tallies, egress, hospital, small_study

# Processes are forked from one that has imported everything: a start takes milliseconds.
FORKS = multiprocessing.get_context("forkserver")
ALIVE = 120.0  # seconds after which a hospital that does not answer has failed the test
LONGEST = 1.5  # seconds before a kill at any moment: about what an answer after a restart takes


class Hospital:
    """One hospital over its restarts, and everything that ever left it, by task."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.left: dict[str, set[bytes]] = {}
        self.head: str | None = None
        self.kills = 0
        self._process: BaseProcess | None = None

    def ask(self, name: str, task: Envelope, kill: Callable[[Future[bytes]], None] | None = None) -> Envelope | None:
        """The reply; or None if the agent was killed when ``kill`` returned: its courier asks again by itself."""
        if self._process is None:
            self._start()
        question = task.with_head(self.head).to_bytes()
        with ThreadPoolExecutor(1) as courier:
            asked = courier.submit(exchange, target(self.site), question, None, ALIVE)
            if kill:
                kill(asked)
                self._end()
                self._start()
            content = asked.result(ALIVE)
        envelope = Envelope.from_bytes(content)
        self.left.setdefault(name, set()).add(content)
        if kill:
            return None  # it left the hospital, but the server did not get it
        assert isinstance(envelope.header, Reply), envelope.header
        self.head = envelope.header.head
        return envelope

    def _start(self) -> None:
        self._process = FORKS.Process(target=serve, args=(self.site.data / "site.toml",), daemon=True)
        self._process.start()

    def _end(self) -> None:
        assert self._process
        self._process.kill()
        self._process.join(ALIVE)
        self.kills += self._process.exitcode == -signal.SIGKILL
        self._process = None

    def close(self) -> None:
        if self._process:
            self._process.kill()
            self._process.join(ALIVE)


def tasks_of(study: Study) -> dict[str, Envelope]:
    rounds = {
        f"{stage}-{number}": ask_round(study, number, stage) for stage in ("encoders", "fusion") for number in (1, 2)
    }
    return {"counts": ask_counts(study), **rounds, "tallies": ask_tallies(study), "figures": ask_figures(study)}


def size(path: Path) -> int:
    """Bytes of a file, entries of a folder."""
    if path.is_dir():
        return len(list(path.iterdir()))
    return path.stat().st_size if path.exists() else 0


def moment(book: Path | None, chance: np.random.Generator) -> Callable[[Future[bytes]], None]:
    """Waits until a book has grown (a release is under way) or a little longer; without one, for any while."""
    before, started = size(book) if book else 0, time.monotonic()
    longest = ALIVE if book else float(chance.uniform(0, LONGEST))

    def wait(asked: Future[bytes]) -> None:
        while time.monotonic() - started < longest and not asked.done() and not (book and size(book) > before):
            time.sleep(0)
        if book:
            time.sleep(float(chance.uniform(0, 0.002)))

    return wait


def check_books(hospital: Hospital) -> None:
    """What was released stands in the ledger, and no task has two answers."""
    spends = LedgerFile(hospital.site.state).spends
    digests = {spend.digest for spend in spends}
    assert all(len(answers) == 1 for answers in hospital.left.values()), "sent twice, with different bytes"
    assert len({(spend.stage, spend.round) for spend in spends}) == len(spends), "a round was spent twice"
    for name, answers in hospital.left.items():
        (answer,) = answers
        reply = Envelope.from_bytes(answer)
        if isinstance(reply.header, Trained | Tallied) or (
            isinstance(reply.header, Evaluated) and reply.header.epsilon
        ):
            assert reply.digest in digests, name
            assert reply.header.epsilon is not None
            assert spent(spends, spends[0].delta) >= reply.header.epsilon - 1e-9
    for link in read_chain(hospital.site.state / EGRESS).links:
        if link.values["spend"]:
            assert link.values["digest"] in digests


@pytest.fixture
def forks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that start in milliseconds."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))  # else the server of forks imports nothing of ours
    FORKS.set_forkserver_preload(["tests.faults.hospital", "client.agent.service"])


@pytest.mark.usefixtures("forks")
@pytest.mark.parametrize("kills", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_a_hospital_killed_at_random_moments(kills: int, tmp_path: Path) -> None:
    study, site = small_study(tmp_path), hospital(tmp_path)
    approve(site, study)
    chance, place = np.random.default_rng(kills), Hospital(site)
    tasks = tasks_of(study)
    books = [site.state / name for name in (OUTBOX, LEDGER, EGRESS)]
    victims = [str(name) for name in chance.choice(list(tasks), kills)]
    try:
        for name, task in tasks.items():
            for _ in range(victims.count(name)):
                book = [*books, None][int(chance.integers(4))]
                place.ask(name, task, kill=moment(book, chance))
                check_books(place)
            assert place.ask(name, task), "after the restart it is answered"
            check_books(place)
    finally:
        place.close()
    assert place.kills == kills
    assert not [name for name in tasks if name not in place.left]
    lines = LedgerFile(site.state).spends
    assert [(line.stage, line.round) for line in lines] == [
        ("encoders", 1),
        ("encoders", 2),
        ("fusion", 1),
        ("fusion", 2),
        ("threshold", 1),
    ]
    assert 0.99 * 8.0 < spent(lines, lines[0].delta) <= 8.0
    assert faults_of(site.state) == []
    assert not [line for line in egress(site) if line["kind"] == Refused.model_fields["kind"].default]


@pytest.mark.usefixtures("forks")
@pytest.mark.parametrize("kills", [1, pytest.param(6, marks=pytest.mark.slow)])
def test_a_hospital_killed_as_it_validates_under_noise(kills: int, tmp_path: Path) -> None:
    study, site = noised_study(tmp_path), hospital(tmp_path, "south", patients=60)
    approve(site, study)
    chance, place = np.random.default_rng(kills), Hospital(site)
    books = [site.state / name for name in (OUTBOX, LEDGER, EGRESS)]
    try:
        for number in range(kills):
            place.ask("figures", ask_figures(study), kill=moment([*books, None][number % 4], chance))
            check_books(place)
        assert place.ask("figures", ask_figures(study)), "after the restarts it is answered"
        check_books(place)
    finally:
        place.close()
    assert place.kills == kills
    (line,) = LedgerFile(site.state).spends
    assert (line.stage, line.round, line.budget) == ("validation", 1, 2.0)
    assert faults_of(site.state) == []
