"""``federation.toml``: the coordinator's own file, with its address, its hospitals, and where it keeps things."""

import ipaddress
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator

from shared.errors import FileError, Problem
from shared.sections import Name, Positive, Section, read_section

Port = Annotated[int, Field(ge=1, le=65535)]


class HospitalEntry(Section):
    """A hospital's request, as it sent it, and the fingerprint that its people read out on the phone."""

    request: str
    fingerprint: str = ""


class FederationFile(Section):
    """``federation.toml``; relative paths start at its own folder."""

    name: Name
    address: str  # host:port that hospitals connect to: of the proxy, or of Flower itself on one machine
    listen: Port = 18000  # where Flower listens, on loopback only; its control API must not be reached from outside
    state: str = "state"  # keys, database, kits; mode 0700
    results: str = "results"
    deadline: Positive = 3600.0  # seconds that a hospital has for an answer
    days: int = Field(default=365, ge=1, le=3650)  # that the server's certificate is valid
    hospitals: dict[Name, HospitalEntry] = Field(min_length=1)

    @field_validator("address")
    @classmethod
    def _host_and_port(cls, address: str) -> str:
        host, _, port = address.rpartition(":")
        if not (re.fullmatch(r"[A-Za-z0-9.-]+|\[[0-9a-f:]+\]", host) and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError('must be "host:port"')
        return address


class Federation(Section):
    """A federation as its programs see it: the file's content with the folders resolved."""

    file: FederationFile
    path: Path
    state: Path
    results: Path

    @property
    def host(self) -> str:
        """The name or number under which hospitals reach the coordinator."""
        return self.file.address.rpartition(":")[0].strip("[]")

    @property
    def control(self) -> str:
        """Where Flower's control API is: on loopback only."""
        return f"127.0.0.1:{self.file.listen}"

    @property
    def heads(self) -> Path:
        """The heads of the hospitals' ledgers, over all runs."""
        return self.state / "heads.json"

    def request(self, hospital: str) -> Path:
        """Where a hospital's request is."""
        return self.path.parent / self.file.hospitals[hospital].request


def load_federation(path: Path) -> Federation:
    """Read ``federation.toml``; FileError with all of its problems."""
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileError([Problem(path.name, "", "no such file", "docs/coordinator.md shows one")]) from None
    except tomllib.TOMLDecodeError as error:
        raise FileError([Problem(path.name, "", f"not valid TOML: {error}", "correct it at that line")]) from None
    except (UnicodeDecodeError, OSError):
        raise FileError([Problem(path.name, "", "is not a readable UTF-8 text file", "save it as UTF-8")]) from None
    file, problems = read_section(FederationFile, values, path.name)
    if file is None:
        raise FileError(problems)
    home = path.resolve().parent
    return Federation(
        file=file, path=path.resolve(), state=(home / file.state).resolve(), results=(home / file.results).resolve()
    )


def is_number(host: str) -> bool:
    """Whether a host is an IP address and not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
