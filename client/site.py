"""The hospital's own file: where its data are and what it allows; never sent, never rewritten by a program."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field

from client.connection import Connection, ConnectionFile, resolved
from client.harmonization import Rules
from shared.errors import Problem, SiteError
from shared.modalities.weights import Digest
from shared.sections import Name, Section, read_section


class Limits(Section):
    """The hospital's limits; they always win over the study's."""

    max_epsilon: float = Field(gt=0)  # over all studies together, per patient
    max_delta: float = Field(default=1e-3, gt=0, lt=1)  # of a study: the chance that its guarantee fails outright
    allow_without_privacy: bool = False
    min_cell: int = Field(default=5, ge=1)
    min_class: int = Field(default=10, ge=2)
    min_patients: int = Field(default=20, ge=2)


class SiteFile(Section):
    """``site.toml``; relative paths start at its own folder."""

    name: Name
    data: str = "."
    state: str = "state"
    encoding: str = "utf-8"
    weights: dict[Digest, str] = {}  # pre-trained files and folders by their digest
    harmonization: dict[str, Rules] = {}  # by table
    limits: Limits
    connection: ConnectionFile = ConnectionFile()


class Site(Section):
    """A hospital as its programs see it: the file's content with the folders resolved."""

    name: str
    data: Path
    state: Path
    encoding: str
    weights: dict[str, Path] = {}
    harmonization: dict[str, Rules] = {}
    limits: Limits


class Front(Section):
    """What may be known of a hospital without seeing its data: its name, its state folder, its connection."""

    name: str
    state: Path
    connection: Connection


def load_front(path: Path) -> Front:
    """Read ``site.toml`` without looking at the data; SiteError with all of its problems."""
    file = _read(path)
    state = _resolve(path, file.state)
    return Front(name=file.name, state=state, connection=resolved(file.connection, path.resolve().parent, state))


def load_site(path: Path) -> Site:
    """Read ``site.toml``; SiteError with all of its problems, none of which shows a path or a value of its own."""
    file = _read(path)
    site = Site(
        name=file.name,
        data=_resolve(path, file.data),
        state=_resolve(path, file.state),
        encoding=file.encoding,
        weights={digest: _resolve(path, place) for digest, place in file.weights.items()},
        harmonization=file.harmonization,
        limits=file.limits,
    )
    if not site.data.is_dir():
        raise SiteError([Problem(path.name, "data", "the folder does not exist", "correct the path")])
    return site


def _resolve(path: Path, folder: str) -> Path:
    return (path.resolve().parent / folder).resolve()


def _read(path: Path) -> SiteFile:
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SiteError([Problem(path.name, "", "no such file", "name the hospital's site.toml")]) from None
    except tomllib.TOMLDecodeError as error:
        raise SiteError([Problem(path.name, "", f"not valid TOML: {error}", "correct it at that line")]) from None
    except (UnicodeDecodeError, OSError):
        raise SiteError([Problem(path.name, "", "is not a readable UTF-8 text file", "save it as UTF-8")]) from None
    file, problems = read_section(SiteFile, values, path.name)
    if file is None:
        raise SiteError(problems)
    return file
