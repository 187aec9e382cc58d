"""The documented proxy in front of Flower: hospitals' paths pass, those that command the server do not."""

import re
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.federation_file import Federation, load_federation
from server.provisioning import provision
from server.superlink import SuperLink
from simulations.real_federation import free_port

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed (Debian: apt-get install nginx-light)"),
]


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """A SuperLink on loopback and nginx before it, by the file in docs/ with its four changes."""
    folder, outside, inside = tmp_path_factory.mktemp("proxy"), free_port(), free_port()
    path = folder / "federation.toml"
    path.write_text(
        f'name = "proxied"\naddress = "127.0.0.1:{outside}"\nlisten = {inside}\n[hospitals]\na = {{ request = "a" }}\n'
    )
    loaded = load_federation(path)
    provision(loaded)
    text = (ROOT / "docs" / "nginx.conf").read_text()
    text = re.sub(r"listen 8000", f"listen 127.0.0.1:{outside}", text).replace("127.0.0.1:18000", f"127.0.0.1:{inside}")
    configuration = loaded.state / "nginx.conf"
    configuration.write_text(text.replace("STATE", str(loaded.state)) + "\n")
    link = SuperLink(loaded)
    link.start()
    assert NGINX
    proxy = subprocess.Popen([NGINX, "-c", str(configuration), "-g", f"daemon off; error_log {folder}/error.log;"])
    try:
        until = time.monotonic() + 20
        while answer(loaded.file.address, "/", loaded) == 0 and time.monotonic() < until:
            time.sleep(0.1)
        yield loaded
    finally:
        proxy.terminate()
        proxy.wait(20)
        link.stop()


def answer(address: str, path: str, federation: Federation, method: str = "POST") -> int:
    """HTTP status; 0 where nothing listens."""
    trust = ssl.create_default_context(cafile=str(federation.state / "ca.crt"))
    request = urllib.request.Request(f"https://{address}{path}", data=b"" if method == "POST" else None, method=method)
    try:
        with urllib.request.urlopen(request, context=trust, timeout=10) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code
    except urllib.error.URLError:
        return 0


FLEET = ["/v1/fleet/activate-node", "/v1/fleet/get-fab", "/v1/fleet/get-run"]


@pytest.mark.parametrize("path", FLEET)
def test_paths_of_the_fleet_reach_flower(path: str, federation: Federation) -> None:
    through, direct = answer(federation.file.address, path, federation), answer(federation.control, path, federation)
    assert through == direct
    assert through not in (0, 404)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/control/list-runs",
        "/v1/control/start-run",
        "/v1/control/register-node",
        "/v1/runtime/pull-task-input",
        "/docs",
        "/openapi.json",
        "/",
        "/v1/fleet/../control/start-run",
        "/v1/fleet/%2e%2e/control/list-runs",
        "/v1/fleet//../../v1/control/list-runs",
    ],
)
def test_paths_that_command_the_server_do_not_pass(path: str, federation: Federation) -> None:
    assert answer(federation.control, "/v1/control/list-runs", federation) not in (0, 403, 404)
    assert answer(federation.file.address, path, federation) in (400, 403, 404)
    assert answer(federation.file.address, path, federation, method="GET") in (400, 403, 404)


def test_plaintext_is_not_answered(federation: Federation) -> None:
    with pytest.raises((urllib.error.HTTPError, OSError)):
        urllib.request.urlopen(f"http://{federation.file.address}/v1/fleet/get-run", timeout=10)
