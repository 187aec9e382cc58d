"""How a hospital is connected: the coordinator's kit, the courier's own folder, and the way from courier to agent.

It is read without the data's folder, as the courier's operating-system user need not see that.
"""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field

from shared.errors import Problem, SiteError
from shared.sections import Name, Section, read_section

AGENT_KEYS, COURIER_KEYS = "tls", "tls"  # folders of the two sides' certificates, in the state folder and in home
CERTIFICATES = "certificates"  # key of the SuperNode's configuration: the courier's folder of certificates
AGENT = "agent"  # key of the SuperNode's configuration: where the agent listens


class ConnectionFile(Section):
    """``[connection]`` of ``site.toml``; relative paths start at the file's own folder."""

    kit: str = "kit"
    home: str = "courier"
    socket: str = ""
    group: str = ""
    port: int = Field(default=9094, ge=1, le=65535)
    address: str = Field(default="", pattern=r"^([^\s:/]+:[0-9]+)?$")
    max_megabytes: int = Field(default=1024, ge=1, le=2000)


class Connection(Section):
    """The section with its paths resolved."""

    kit: Path
    home: Path  # of the courier: node key, Flower's files
    socket: Path
    group: str  # of the operating system, whose members may use the socket; empty: its owner only
    port: int  # of the SuperNode's own runtime interface, on loopback
    address: str  # host:port where the agent listens with TLS; empty: on the socket
    max_bytes: int  # of one message

    @property
    def target(self) -> str:
        """Where the courier finds the agent."""
        return self.address or f"unix:{self.socket}"

    @property
    def node_config(self) -> str:
        """All that a SuperNode is told of its hospital; no path of data, no limit, no file of the hospital's."""
        pairs = {AGENT: self.target, **({CERTIFICATES: str(self.home / COURIER_KEYS)} if self.address else {})}
        return " ".join(f'{key}="{value}"' for key, value in pairs.items())


class Kit(Section):
    """``kit.toml``: what the coordinator sends to a hospital; nothing of the hospital's limits, paths or budgets."""

    name: Name
    superlink: str = Field(pattern=r"^[^\s/]+:[0-9]+$")
    fingerprint: str = Field(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$")  # of the node key that the coordinator registered


def resolved(file: ConnectionFile, home: Path, state: Path) -> Connection:
    """The section with paths from ``home``, the folder of ``site.toml``."""
    return Connection(
        kit=(home / file.kit).resolve(),
        home=(home / file.home).resolve(),
        socket=(home / file.socket).resolve() if file.socket else state / "agent.sock",
        group=file.group,
        port=file.port,
        address=file.address,
        max_bytes=file.max_megabytes * 1_000_000,
    )


def load_kit(connection: Connection, name: str) -> Kit:
    """Read the kit; SiteError with all of its problems, also where it is another hospital's."""
    path = connection.kit / "kit.toml"
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise SiteError([Problem(path.name, "", "cannot be read", "unpack the coordinator's kit there")]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise SiteError([Problem(path.name, "", "is not valid TOML", "unpack the coordinator's kit again")]) from None
    kit, problems = read_section(Kit, values, path.name)
    if kit and kit.name != name:
        problems.append(Problem(path.name, "name", f"the kit is for {kit.name}, this hospital is {name}", "ask again"))
    if not (connection.kit / "ca.crt").is_file():
        problems.append(Problem("ca.crt", "", "is missing in the kit", "unpack the coordinator's kit again"))
    if kit is None or problems:
        raise SiteError(problems)
    return kit
