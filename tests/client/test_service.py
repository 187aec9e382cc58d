"""The agent's door: what couriers bring over a socket or TLS is taken, answered, refused or cut off."""

import grp
import os
import shutil
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from flwr.app import Context, RecordDict

from client.agent import service
from client.agent.service import Service
from client.app import reach_agent
from client.connection import AGENT, CERTIFICATES
from client.exchange import CHUNK, METHOD, SERVICE, Unreachable, exchange, whole
from client.node_key import make_keys
from client.site import Front, Site, load_front
from client.state import AGENT_LOCK, only_one
from shared.wire import Envelope, Refused
from tests.resident import free_port, target
from tests.small import agent_of, ask_counts, ask_round, egress, hospital, small_study

ROOT = Path(__file__).parents[2]
SECRET = b"PATIENT-SECRET"
NOBODY = 65534


def front_of(site: Site, **connection: object) -> Front:
    front = load_front(site.data / "site.toml")
    return front.model_copy(update={"connection": front.connection.model_copy(update=connection)})


@contextmanager
def serving(site: Site, beat: float = 0.2, **connection: object) -> Iterator[Service]:
    served = Service(agent_of(site), front_of(site, **connection), beat)
    served.start()
    try:
        yield served
    finally:
        served.stop(0.1)


def code(content: bytes) -> str:
    header = Envelope.from_bytes(content).header
    return header.code if isinstance(header, Refused) else header.kind


def test_the_courier_reaches_the_agent_by_what_its_supernode_was_told(tmp_path: Path) -> None:
    site, study = hospital(tmp_path), small_study(tmp_path)
    with serving(site):
        config = {AGENT: target(site)}
        context = Context(run_id=1, node_id=1, node_config=config, state=RecordDict(), run_config={})
        assert reach_agent(context, ask_counts(study)).header.kind == "described"
    assert [line["kind"] for line in egress(site)] == ["described"]


def test_only_the_owner_can_use_the_socket(tmp_path: Path) -> None:
    site = hospital(tmp_path)
    with serving(site):
        for path, mode in ((site.state / "agent.sock", 0o600), (site.state, 0o700)):
            assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    site = hospital(tmp_path / ("long" * 40))
    assert len(target(site)) > 200
    with serving(site):
        assert code(exchange(target(site), ask_counts(small_study(tmp_path)).to_bytes())) == "described"


@pytest.mark.parametrize("content", [SECRET, b"\0", b"\xff" * 100, ask_counts.__name__.encode() * CHUNK])
def test_what_is_no_message_is_refused_and_noted(content: bytes, tmp_path: Path) -> None:
    site = hospital(tmp_path)
    with serving(site):
        answer = exchange(target(site), content)
    assert code(answer) == "not-typed"
    assert SECRET not in answer
    (line,) = egress(site)
    assert (line["code"], line["study"]) == ("not-typed", None)


def test_nothing_at_all_is_no_message(tmp_path: Path) -> None:
    site = hospital(tmp_path)
    with serving(site):
        assert code(exchange(target(site), b"")) == "not-typed"


def test_a_message_that_is_too_large_is_not_kept_in_memory(tmp_path: Path) -> None:
    site = hospital(tmp_path)
    with serving(site, max_bytes=3 * CHUNK):
        taken: list[int] = []

        def endless() -> Iterator[bytes]:
            for number in range(100):
                taken.append(number)
                yield bytes(CHUNK)

        with grpc.insecure_channel(target(site)) as channel:
            answer = b"".join(channel.stream_stream(f"/{SERVICE}/{METHOD}")(endless()))
        assert code(answer) == "too-large"
        assert len(taken) < 100
    assert [line["code"] for line in egress(site)] == ["too-large"]


def held(monkeypatch: pytest.MonkeyPatch, until: threading.Event) -> list[float]:
    """Make the agent's work wait; the times at which it began."""
    begun: list[float] = []
    real = service.Service._reply

    def slow(self: Service, content: bytes | None) -> Envelope:
        begun.append(time.monotonic())
        until.wait(20)
        return real(self, content)

    monkeypatch.setattr(service.Service, "_reply", slow)
    return begun


def test_a_long_task_shows_that_it_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, study, go = hospital(tmp_path), small_study(tmp_path), threading.Event()
    held(monkeypatch, go)
    monkeypatch.setattr("client.exchange.SILENCE", 2.5)
    threading.Timer(4.0, go.set).start()
    with serving(site):
        assert code(exchange(target(site), ask_counts(study).to_bytes())) == "described"


def test_an_agent_that_shows_no_life_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, study, go = hospital(tmp_path), small_study(tmp_path), threading.Event()
    held(monkeypatch, go)
    monkeypatch.setattr("client.exchange.SILENCE", 0.5)
    monkeypatch.setattr("client.exchange.ATTEMPTS", 1)
    with serving(site, beat=30.0):
        with pytest.raises(Unreachable):
            exchange(target(site), ask_counts(study).to_bytes())
        go.set()


def test_one_task_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, study, go = hospital(tmp_path), small_study(tmp_path), threading.Event()
    begun = held(monkeypatch, go)
    with serving(site):
        content = ask_counts(study).to_bytes()
        both = [threading.Thread(target=exchange, args=(target(site), content)) for _ in range(2)]
        for one in both:
            one.start()
        time.sleep(1.0)
        assert len(begun) == 1
        go.set()
        for one in both:
            one.join(20)
    assert len(begun) == len(egress(site)) == 2


def test_a_task_is_finished_though_its_courier_died(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it released lies in the outbox: the next courier that asks gets it, and nothing is spent anew."""
    site, study, go = hospital(tmp_path), small_study(tmp_path), threading.Event()
    begun = held(monkeypatch, go)
    content = ask_round(study).to_bytes()
    program = "import sys; from client.exchange import exchange; exchange(sys.argv[1], sys.stdin.buffer.read())"
    with serving(site):
        courier = subprocess.Popen([sys.executable, "-c", program, target(site)], stdin=subprocess.PIPE, cwd=ROOT)
        assert courier.stdin
        courier.stdin.write(content)
        courier.stdin.close()
        wait_for(lambda: bool(begun))
        courier.kill()
        courier.wait()
        go.set()
        assert code(exchange(target(site), content)) == "trained"
    assert [line["kind"] for line in egress(site)] == ["trained", "trained"]
    assert len({line["digest"] for line in egress(site)}) == 1
    assert len((site.state / "ledger.jsonl").read_text().splitlines()) == 1


def test_half_a_message_is_none(tmp_path: Path) -> None:
    """A courier that dies while it sends: nothing is answered, and the next one is served."""
    site, study = hospital(tmp_path), small_study(tmp_path)
    sent = threading.Event()

    def half() -> Iterator[bytes]:
        yield ask_round(study).to_bytes()[:500]
        sent.set()
        time.sleep(60)

    with serving(site):
        channel = grpc.insecure_channel(target(site))
        call = channel.stream_stream(f"/{SERVICE}/{METHOD}")(half())
        assert sent.wait(10)
        call.cancel()
        half_closed = channel.stream_stream(f"/{SERVICE}/{METHOD}")(iter([b"half"]))  # as gRPC shows some broken calls
        assert list(half_closed) == []
        channel.close()
        assert code(exchange(target(site), ask_counts(study).to_bytes())) == "described"
    assert [line["kind"] for line in egress(site)] == ["described"]


def wait_for(reached: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(Unreachable):
        exchange(f"unix:{tmp_path / 'none.sock'}", b"", patience=0.3)


def test_over_tcp_each_side_knows_the_other_by_its_certificate(tmp_path: Path) -> None:
    site, other, study = hospital(tmp_path), hospital(tmp_path, "west"), small_study(tmp_path)
    address = f"localhost:{free_port()}"
    for one in (site, other):
        path = one.data / "site.toml"
        path.write_text(path.read_text() + f'[connection]\naddress = "{address}"\n')
        make_keys(path)
    content, own = ask_counts(study).to_bytes(), site.data / "courier" / "tls"
    assert CERTIFICATES in load_front(site.data / "site.toml").connection.node_config
    with serving(site):
        assert code(exchange(address, content, own)) == "described"
        with pytest.raises(Unreachable):
            exchange(address, content, other.data / "courier" / "tls", patience=2)
        with pytest.raises(Unreachable):
            exchange(address, content, patience=2)
        known = grpc.ssl_channel_credentials((own / "agent.crt").read_bytes())  # who has no certificate of his own
        with grpc.secure_channel(address, known) as channel, pytest.raises(grpc.RpcError):
            list(channel.stream_stream(f"/{SERVICE}/{METHOD}")(whole(content), timeout=5))
    assert len(egress(site)) == 1
    assert not (own / "courier.key").stat().st_mode & 0o077
    assert not (own / "agent.key").exists(), "each side has its own key only"


def test_a_second_agent_on_a_state_folder_is_refused(tmp_path: Path) -> None:
    site = hospital(tmp_path)
    handle = only_one(site.state, AGENT_LOCK)
    assert handle is not None
    call = [sys.executable, "-m", "client", "agent", str(site.data / "site.toml")]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)
    os.close(handle)
    assert done.returncode == 2
    assert "an agent is running on this folder" in done.stderr
    assert "Traceback" not in done.stderr


def as_another(
    program: str, groups: list[int], *words: object, given: bytes = b""
) -> "subprocess.CompletedProcess[bytes]":
    """Run a program that becomes another user after its imports, which may lie where only root can read."""
    load = "import os, sys, client.exchange as courier; courier.grpc.insecure_channel('unix:none').close(); "
    drop = f"os.setgroups({groups}); os.setgid({NOBODY}); os.setuid({NOBODY}); "
    call = [sys.executable, "-c", load + drop + program, *(str(word) for word in words)]
    return subprocess.run(call, input=given, cwd=ROOT, capture_output=True, check=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_courier_of_another_user_reaches_the_agent_and_not_the_data(tmp_path: Path) -> None:
    """The documented set-up with two users: the courier's is in the socket's group, and in nothing else."""
    site, study, door = hospital(tmp_path), small_study(tmp_path), tmp_path / "run"
    group = grp.getgrall()[-1]
    door.mkdir(mode=0o750)
    shutil.chown(door, group=group.gr_name)
    for folder in (tmp_path, *tmp_path.parents[:-2]):  # pytest's own folders are closed to others
        folder.chmod(folder.stat().st_mode | 0o011)
    site.data.chmod(0o700)
    ask = "sys.stdout.buffer.write(courier.exchange(sys.argv[1], sys.stdin.buffer.read(), patience=3))"
    question = ask_counts(study).to_bytes()
    with serving(site, socket=door / "agent.sock", group=group.gr_name):
        member = as_another(ask, [group.gr_gid], f"unix:{door / 'agent.sock'}", given=question)
        stranger = as_another(ask, [], f"unix:{door / 'agent.sock'}", given=question)
    assert not member.stderr, member.stderr
    assert code(member.stdout) == "described"
    assert b"Unreachable" in stranger.stderr
    assert len(egress(site)) == 1
    for path in (site.data / "patients.csv", site.state / "egress.jsonl"):
        assert b"PermissionError" in as_another("open(sys.argv[1])", [group.gr_gid], path).stderr
