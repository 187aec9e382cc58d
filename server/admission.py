"""A hospital's request to take part: read, its key checked, and its fingerprint compared with the one read out."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from server.federation_file import Federation
from shared.errors import FileError, Problem
from shared.sections import Name, Section, read_section


class Request(Section):
    """``NAME.request.json``, as ``client keys`` makes it; it holds nothing secret."""

    medley: Literal[1]
    name: Name
    public_key: str  # OpenSSH text of a NIST curve's key
    fingerprint: str = ""  # what the hospital's program printed; computed anew here


class Admitted(Section):
    """A hospital whose key was compared."""

    name: str
    public_key: str
    fingerprint: str


def admit(federation: Federation) -> tuple[list[Admitted], list[str]]:
    """Hospitals whose fingerprint was compared, and a sentence for each that waits for it.

    FileError with everything that is wrong with the requests: unreadable, of another name, a key that is not the one
    whose fingerprint was read out, or one key for two hospitals.
    """
    admitted: list[Admitted] = []
    waiting: list[str] = []
    problems: list[Problem] = []
    for name, entry in federation.file.hospitals.items():
        path = federation.request(name)
        if not path.is_file():
            waiting.append(f"{name}: no request yet ({path.name}); the hospital makes it by `python -m client keys`")
            continue
        try:
            found = read_request(path, name)
        except FileError as error:
            problems += error.problems
            continue
        if entry.fingerprint == found.fingerprint:
            admitted.append(found)
        elif entry.fingerprint:
            place = f"hospitals.{name}.fingerprint"
            rule = f"the key in {path.name} has another fingerprint, {found.fingerprint}"
            problems.append(Problem(federation.path.name, place, rule, "ask the hospital again by phone"))
        else:
            waiting.append(
                f"{name}: let the hospital read out its fingerprint by phone; if it is {found.fingerprint}, "
                f'write it to [hospitals.{name}] as fingerprint = "…"'
            )
    problems += _used_twice(admitted, federation.path.name)
    if problems:
        raise FileError(problems)
    return admitted, waiting


def read_request(path: Path, name: str) -> Admitted:
    """A request that is sound and of this hospital."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError):
        raise FileError([Problem(path.name, "", "is not readable JSON", "ask the hospital to send it again")]) from None
    request, problems = read_section(Request, values if isinstance(values, dict) else {}, path.name)
    if request is None:
        raise FileError(problems)
    if request.name != name:
        rule = f'is of "{request.name}", not of "{name}"'
        raise FileError([Problem(path.name, "name", rule, "name the hospital as it names itself")])
    if not _sound(request.public_key):
        rule = "is no public key of a NIST curve"
        raise FileError([Problem(path.name, "public_key", rule, "make it by `python -m client keys`")])
    return Admitted(name=name, public_key=request.public_key, fingerprint=fingerprint(request.public_key))


def fingerprint(public_key: str) -> str:
    """As ``ssh-keygen -lf`` prints it: SHA-256 of the key's bytes, base64 without padding."""
    digest = hashlib.sha256(base64.b64decode(public_key.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def key_bytes(public_key: str) -> bytes:
    """The key as Flower registers it."""
    from flwr.supercore.primitives.asymmetric import public_key_to_bytes

    key = serialization.load_ssh_public_key(public_key.encode())
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return public_key_to_bytes(key)


def _sound(public_key: str) -> bool:
    try:
        key = serialization.load_ssh_public_key(public_key.encode())
    except (ValueError, UnsupportedAlgorithm):
        return False
    return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name.startswith("secp")


def _used_twice(admitted: list[Admitted], file: str) -> list[Problem]:
    keys = [one.fingerprint for one in admitted]
    rule = "has the key of another hospital"
    return [
        Problem(file, f"hospitals.{one.name}", rule, "each makes its own by `python -m client keys`")
        for place, one in enumerate(admitted)
        if one.fingerprint in keys[:place]
    ]
