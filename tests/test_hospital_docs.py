"""The hospital's documents keep their promises: commands exist, site.toml is read, the courier sees no data."""

import re
from configparser import ConfigParser
from pathlib import Path

import yaml

from client.__main__ import COMMANDS, read_call
from client.site import load_front

DOCS = Path(__file__).parents[1] / "docs"
TEXT = (DOCS / "hospital.md").read_text(encoding="utf-8")
DATA, STATE = "/srv/medley/data", "/var/lib/medley"


def unit(name: str) -> ConfigParser:
    read = ConfigParser(strict=False)
    read.optionxform = str  # type: ignore[assignment, method-assign]
    read.read(DOCS / "hospital" / f"{name}.service")
    return read


def test_its_commands_can_be_typed() -> None:
    calls = re.findall(r"^ *(?:sudo -u \S+ )?\.venv/bin/python -m client (.+)$", TEXT, re.MULTILINE)
    assert {call.split()[0] for call in calls} == {
        *("check", "keys", "approve", "join", "status", "egress", "ledger"),
    }
    for call in calls:
        read_call(re.sub(r'"[^"]*"', "words", call).split())
    assert set(re.findall(r"python -m client (\w+)", TEXT)) <= set(COMMANDS)


def test_its_site_file_is_read(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    path = tmp_path / "site.toml"
    path.write_text(block, encoding="utf-8")
    front = load_front(path)
    assert (str(front.state), str(front.connection.socket)) == (STATE, "/run/medley/agent.sock")
    assert (front.connection.group, str(front.connection.home)) == ("medley-courier", "/var/lib/medley-courier")


def test_the_couriers_unit_is_another_user_without_the_data() -> None:
    agent, courier = unit("medley-agent")["Service"], unit("medley-courier")["Service"]
    assert agent["User"] != courier["User"] == "medley-courier"
    assert courier["InaccessiblePaths"].split() == [DATA, STATE]
    assert DATA not in courier["ReadWritePaths"]
    assert agent["PrivateNetwork"] == "true"
    assert [service["ExecStart"].split()[3] for service in (agent, courier)] == ["agent", "supernode"]


def test_the_couriers_container_has_no_volume_of_the_data() -> None:
    services = yaml.safe_load((DOCS / "hospital" / "compose.yaml").read_text(encoding="utf-8"))["services"]
    mounted = {name: [volume.split(":")[1] for volume in one["volumes"]] for name, one in services.items()}
    assert {DATA, STATE} <= set(mounted["agent"])
    assert not [path for path in mounted["courier"] if path.startswith((DATA, f"{STATE}/"))]
    assert STATE not in mounted["courier"]
    assert services["agent"]["network_mode"] == "none"
