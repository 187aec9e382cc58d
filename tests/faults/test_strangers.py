"""Who must not get in, over a real SuperLink: other keys, no keys, a key in use, plaintext; old certificates."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from client.node_key import make_keys
from client.site import load_site
from server.certificates import ensure_server_certificate
from server.control import Control
from server.federation_file import Federation, load_federation
from server.provisioning import provision
from server.superlink import SuperLink, end_group, programs_environment
from shared.errors import RunError
from simulations.real_federation import free_port
from tests.small import hospital

pytestmark = pytest.mark.slow
LONGEST = 90.0  # seconds for a SuperNode to be let in or to give up
SUPERNODE = Path(sys.executable).parent / "flower-supernode"


def federation_in(folder: Path) -> Federation:
    """A federation of one hospital, north, whose key was compared."""
    hospital(folder, "north")
    load_site(folder / "north" / "site.toml")
    make_keys(folder / "north" / "site.toml")
    make_keys_of_a_stranger(folder)
    request = folder / "north" / "courier" / "north.request.json"
    told, listen = json.loads(request.read_text()), free_port()
    (folder / "federation.toml").write_text(
        f'name = "strangers"\naddress = "127.0.0.1:{listen}"\nlisten = {listen}\n'
        f'[hospitals.north]\nrequest = "{request}"\nfingerprint = "{told["fingerprint"]}"\n'
    )
    return load_federation(folder / "federation.toml")


def make_keys_of_a_stranger(folder: Path) -> None:
    hospital(folder, "south")
    make_keys(folder / "south" / "site.toml")


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    loaded = federation_in(tmp_path_factory.mktemp("strangers"))
    admitted, _ = provision(loaded)
    link = SuperLink(loaded)
    link.start()
    try:
        assert link.register(admitted) == ["north"]
        assert link.register(admitted) == []
        yield loaded
    finally:
        link.stop()


class Node:
    """A SuperNode process with any words, and what it printed."""

    def __init__(self, federation: Federation, folder: Path, *words: str) -> None:
        self._out = folder / "out"
        call = [str(SUPERNODE), "--superlink", federation.control, *words, "--host", "127.0.0.1"]
        with self._out.open("wb") as out:
            self.process = subprocess.Popen(
                [*call, "--port", str(free_port()), "--max-retries", "1"],
                stdout=out,
                stderr=out,
                env=programs_environment(folder / "flower"),
                start_new_session=True,
            )

    def gives_up(self) -> str:
        """What it printed until it ended, or was ended."""
        try:
            assert self.process.wait(LONGEST) != 0
        except subprocess.TimeoutExpired:
            pass
        finally:
            self.end()
        return self._out.read_text(encoding="utf-8")

    def end(self) -> None:
        end_group(self.process, grace=5.0)


def words(federation: Federation, key: str = "north", authority: Path | None = None) -> list[str]:
    trusted = authority or federation.state / "ca.crt"
    place = federation.path.parent / key / "courier" / "node"
    return ["--root-certificates", str(trusted), "--auth-supernode-private-key", str(place)]


def online(federation: Federation) -> bool:
    with Control(federation.control, federation.state / "ca.crt") as control:
        return control.nodes().get("north") == "online"


def test_an_unknown_key_is_not_let_in(federation: Federation, tmp_path: Path) -> None:
    out = Node(federation, tmp_path, *words(federation, "south")).gives_up()
    assert "Failed to activate SuperNode" in out or "2004" in out
    assert not online(federation)


def test_no_key_is_not_let_in(federation: Federation, tmp_path: Path) -> None:
    out = Node(federation, tmp_path, *words(federation)[:2]).gives_up()
    assert "2001" in out or "registered" in out
    assert not online(federation)


def test_plaintext_is_not_answered(federation: Federation, tmp_path: Path) -> None:
    Node(federation, tmp_path, "--insecure").gives_up()
    assert not online(federation)


def test_a_server_of_another_authority_is_not_trusted(federation: Federation, tmp_path: Path) -> None:
    other = federation_in(tmp_path / "other")
    provision(other)
    out = Node(federation, tmp_path, *words(federation, authority=other.state / "ca.crt")).gives_up()
    assert "CERTIFICATE_VERIFY_FAILED" in out
    assert not online(federation)


def test_a_key_cannot_be_used_twice(federation: Federation, tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    first = Node(federation, tmp_path / "first", *words(federation))
    try:
        until = time.monotonic() + LONGEST
        while not online(federation):
            assert time.monotonic() < until
            time.sleep(0.5)
        out = Node(federation, tmp_path / "second", *words(federation)).gives_up()
        assert "2004" in out or "Failed to activate" in out
        assert online(federation)
        assert first.process.poll() is None
    finally:
        first.end()


@pytest.mark.parametrize("days", [-800, 1])
def test_a_certificate_that_is_not_valid_now(days: int, tmp_path: Path) -> None:
    """Expired; or made for tomorrow, which is what a hospital whose clock is a day behind sees."""
    federation = federation_in(tmp_path)
    provision(federation)
    ensure_server_certificate(federation, datetime.now(UTC) + timedelta(days=days, minutes=10))
    link = SuperLink(federation)
    with pytest.raises(RunError, match="not valid today"):
        link.start()
    (tmp_path / "node").mkdir()
    server = subprocess.Popen(
        link.command,
        env=programs_environment(tmp_path / "flower"),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(10)
        assert server.poll() is None
        out = Node(federation, tmp_path / "node", *words(federation)).gives_up()
        assert "CERTIFICATE_VERIFY_FAILED" in out
    finally:
        end_group(server)
