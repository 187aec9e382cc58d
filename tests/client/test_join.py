"""Keys, kit, and the processes of a hospital: what is started, what it is told, and that nothing is left behind."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from client.connection import load_kit
from client.node_key import fingerprint
from client.site import load_front
from client.state import AGENT_LOCK, JOIN_LOCK, holder
from client.supernode import call
from shared.errors import SiteError
from tests.resident import approve, ask, free_port
from tests.small import ask_counts, hospital, small_study

ROOT = Path(__file__).parents[2]
SLOWEST = 240.0  # seconds for a process to import everything on a busy machine


def client(*words: object) -> "subprocess.CompletedProcess[str]":
    call = [sys.executable, "-m", "client", *(str(word) for word in words)]
    return subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def joinable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hospital with a node key and a kit whose coordinator does not answer; its site.toml."""
    folder = tmp_path_factory.mktemp("joinable")
    site = hospital(folder)
    path = site.data / "site.toml"
    path.write_text(path.read_text() + f"[connection]\nport = {free_port()}\n")
    assert client("keys", path).returncode == 0
    home = load_front(path).connection.home
    request = json.loads((home / "north.request.json").read_text())
    kit(site.data / "kit", request["fingerprint"])
    return path


def kit(folder: Path, print_of_key: str, **changes: str) -> None:
    folder.mkdir(exist_ok=True)
    values = {"name": "north", "superlink": f"127.0.0.1:{free_port()}", "fingerprint": print_of_key, **changes}
    (folder / "kit.toml").write_text("".join(f'{key} = "{value}"\n' for key, value in values.items()))
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test", "-keyout", "/dev/null"]
    subprocess.run([*made, "-out", folder / "ca.crt"], check=True, capture_output=True)


def test_the_key_stays_and_the_request_can_be_compared(joinable: Path) -> None:
    home = load_front(joinable).connection.home
    assert stat.S_IMODE((home / "node").stat().st_mode) == 0o600
    request, before = json.loads((home / "north.request.json").read_text()), (home / "node").read_bytes()
    assert set(request) == {"medley", "name", "public_key", "fingerprint"}
    assert "PRIVATE" not in json.dumps(request)
    assert request["public_key"].startswith("ecdsa-sha2-nistp384 ")
    if shutil.which("ssh-keygen"):
        listed = subprocess.run(["ssh-keygen", "-lf", home / "node"], capture_output=True, text=True, check=True).stdout
        assert listed.split()[:2] == ["384", request["fingerprint"]]
    again = client("keys", joinable)
    assert request["fingerprint"] in again.stdout
    assert (home / "node").read_bytes() == before


def test_the_supernode_is_told_nothing_of_the_hospital_but_the_socket(joinable: Path) -> None:
    front = load_front(joinable)
    words, environment = call(front)
    assert words[words.index("--node-config") + 1] == f'agent="unix:{front.state}/agent.sock"'
    assert words[words.index("--host") + 1] == "127.0.0.1"
    assert not {"--insecure", "--allow-runtime-dependency-installation"} & set(words)
    assert (environment["FLWR_TELEMETRY_ENABLED"], environment["FLWR_DISABLE_UPDATE_CHECK"]) == ("0", "1")
    assert stat.S_IMODE(Path(environment["FLWR_HOME"]).stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "west"}, "the kit is for west"),
        ({"fingerprint": "SHA256:" + "A" * 43}, "is not this hospital's key"),
        ({"max_epsilon": "100"}, "is not a known key"),
        ({"superlink": "https://x"}, "superlink"),
    ],
)
def test_a_kit_that_is_not_this_hospitals(changes: dict[str, str], told: str, joinable: Path, tmp_path: Path) -> None:
    front = load_front(joinable)
    own = load_kit(front.connection, "north").fingerprint
    kit(tmp_path / "kit", own, **changes)
    connection = front.connection.model_copy(update={"kit": tmp_path / "kit"})
    with pytest.raises(SiteError, match=told):
        call(front.model_copy(update={"connection": connection}))


def test_no_kit_and_no_key_are_said_before_anything_starts(tmp_path: Path) -> None:
    site = hospital(tmp_path)
    done = client("join", site.data / "site.toml")
    assert (done.returncode, "kit.toml: cannot be read" in done.stderr) == (2, True)
    kit(site.data / "kit", fingerprint("x AAAA"))
    done = client("supernode", site.data / "site.toml")
    assert (done.returncode, "python -m client keys" in done.stderr) == (2, True)
    assert not (site.state / JOIN_LOCK).exists()


def wait_for(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + SLOWEST
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.1)


def started(state: Path, name: str) -> list[int]:
    """Processes that join started, as its log says."""
    path = state / "log" / "join.log"
    lines = [json.loads(line)["message"] for line in path.read_text().splitlines()] if path.exists() else []
    return [int(line.split()[-1]) for line in lines if line.startswith(f"{name} started")]


def joined(site_file: Path) -> "subprocess.Popen[str]":
    call = [sys.executable, "-m", "client", "join", str(site_file)]
    return subprocess.Popen(call, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def gone(processes: list[int]) -> bool:
    return not [one for one in processes if psutil.pid_exists(one) and psutil.Process(one).status() != "zombie"]


def test_join_keeps_both_running_and_leave_ends_both(joinable: Path, tmp_path: Path) -> None:
    front, study = load_front(joinable), small_study(tmp_path)
    approve(front, study)
    running = joined(joinable)
    try:
        assert ask(front, ask_counts(study), SLOWEST).header.kind == "described"
        wait_for(lambda: bool(started(front.state, "SuperNode")))
        (supernode,) = started(front.state, "SuperNode")
        wait_for(lambda: bool(psutil.Process(supernode).children()))  # Flower's SuperExec, which starts couriers
        assert client("join", joinable).returncode == 2
        found = client("status", joinable, "--json")
        assert (found.returncode, json.loads(found.stdout)["problems"]) == (0, [])
        os.kill(supernode, signal.SIGKILL)
        os.kill(started(front.state, "agent")[-1], signal.SIGKILL)
        wait_for(lambda: len(started(front.state, "SuperNode")) == len(started(front.state, "agent")) == 2)
        assert ask(front, ask_counts(study), SLOWEST).header.kind == "described"
        assert client("leave", joinable).returncode == 0
        assert running.wait(SLOWEST) == 0
        assert "Traceback" not in (running.stdout.read() if running.stdout else "")
    finally:
        running.kill()
        running.communicate()
    assert gone([*started(front.state, "SuperNode"), *started(front.state, "agent")])
    assert holder(front.state, AGENT_LOCK) is holder(front.state, JOIN_LOCK) is None
    assert "nothing was running" in client("leave", joinable).stdout


def test_a_supernode_whose_loop_ended_does_not_stay(joinable: Path) -> None:
    """Flower's own thread would keep the process, which nobody could tell from one that is connected."""
    program = (
        "import sys, threading, time, pathlib, flwr.supernode.cli as cli; from client.supernode import run_supernode\n"
        "cli.flower_supernode = threading.Thread(target=time.sleep, args=(600,)).start\n"
        "run_supernode(pathlib.Path(sys.argv[1]))"
    )
    call = [sys.executable, "-c", program, str(joinable)]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False, timeout=SLOWEST)
    assert (done.returncode, done.stderr) == (1, "The connection to the coordinator has ended.\n")


def test_flower_gives_a_courier_the_time_that_a_slow_machine_needs_to_start() -> None:
    """And one that runs still has a minute between two signs of life, as Flower gives it."""
    program = (
        "from datetime import UTC, datetime; from client.supernode import _wait_longer_for_couriers\n"
        "from flwr.supercore.object_store.in_memory_object_store import InMemoryObjectStore as Objects\n"
        "from flwr.supernode.nodestate.in_memory_nodestate import InMemoryNodeState\n"
        "_wait_longer_for_couriers()\n"
        "state = InMemoryNodeState(Objects())\n"
        "task = state.create_task('flwr-clientapp', 1)\n"
        "left = lambda: round((state.task_token_store[task].active_until - datetime.now(UTC)).total_seconds())\n"
        "state.claim_task(task); print(left()); state.activate_task(task); print(left())"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["90", "60"], done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_what_join_started_ends_with_it(joinable: Path) -> None:
    front = load_front(joinable)
    (front.state / "log" / "join.log").unlink(missing_ok=True)
    running = joined(joinable)
    try:
        wait_for(lambda: bool(started(front.state, "SuperNode")) and holder(front.state, AGENT_LOCK) is not None)
    finally:
        running.kill()
        running.communicate()
    wait_for(lambda: gone([*started(front.state, "SuperNode"), *started(front.state, "agent")]))
    assert gone([*started(front.state, "SuperNode"), *started(front.state, "agent")])


def test_status_says_what_is_wrong(tmp_path: Path) -> None:
    site = hospital(tmp_path)
    done = client("status", site.data / "site.toml", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["healthy"], found["agent"], found["last"]) == (1, False, False, None)
    assert client("status", site.data / "none.toml").returncode == 2
    told = client("status", site.data / "site.toml").stdout
    assert "! the agent is not running" in told
