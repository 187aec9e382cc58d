"""What a coordinator makes before a federation starts: keys that stay, a certificate that holds, kits, admission."""

import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509 import DNSName, IPAddress, SubjectAlternativeName
from cryptography.x509.verification import PolicyBuilder, Store

from client.connection import load_kit
from client.node_key import make_keys
from client.site import load_front
from server.__main__ import COMMANDS, parser
from server.admission import fingerprint
from server.certificates import read_certificate
from server.federation_file import load_federation
from server.provisioning import provision
from shared.command_line import DONE, WRONG_CALL, run_command
from shared.errors import FileError
from tests.small import hospital

TEXT = """
name = "test"
address = "{address}"
"""


@pytest.fixture
def federation(tmp_path: Path) -> Callable[..., Path]:
    """Writes federation.toml for hospitals that have made their keys; ``compared`` ones with their fingerprint."""

    def write(compared: tuple[str, ...] = ("north", "west"), address: str = "127.0.0.1:18000", more: str = "") -> Path:
        text = TEXT.format(address=address) + more
        for name in ("north", "west"):
            if not (tmp_path / name).exists():
                hospital(tmp_path, name)
                make_keys(tmp_path / name / "site.toml")
            text += f'[hospitals.{name}]\nrequest = "{name}/courier/{name}.request.json"\n'
            if name in compared:
                text += f'fingerprint = "{told(tmp_path, name)["fingerprint"]}"\n'
        path = tmp_path / "federation.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def told(folder: Path, name: str) -> dict[str, str]:
    path = folder / name / "courier" / f"{name}.request.json"
    return dict(json.loads(path.read_text()))


def rewrite(folder: Path, name: str, /, **values: object) -> None:
    path = folder / name / "courier" / f"{name}.request.json"
    path.write_text(json.dumps({**told(folder, name), **values}))


def problems(path: Path) -> list[str]:
    with pytest.raises(FileError) as failure:
        provision(load_federation(path))
    return [str(problem) for problem in failure.value.problems]


def test_keys_are_private_and_never_overwritten(federation: Callable[..., Path], tmp_path: Path) -> None:
    path = federation()
    for _ in range(2):
        provision(load_federation(path))
        keys = {name: (tmp_path / "state" / name).read_bytes() for name in ("ca.key", "server.key", "ca.crt")}
    provision(load_federation(path))
    for name, content in keys.items():
        assert (tmp_path / "state" / name).read_bytes() == content
    for name in ("ca.key", "server.key"):
        assert stat.S_IMODE((tmp_path / "state" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


@pytest.mark.parametrize("address", ["127.0.0.1:18000", "coordinator.example.org:443", "10.1.2.3:8000", "[::1]:8000"])
def test_the_certificate_holds_for_the_address_and_for_loopback(
    address: str, federation: Callable[..., Path], tmp_path: Path
) -> None:
    loaded = load_federation(federation(address=address))
    provision(loaded)
    authority, own = (read_certificate(tmp_path / "state" / name) for name in ("ca.crt", "server.crt"))
    names = own.extensions.get_extension_for_class(SubjectAlternativeName).value
    found = {str(value) for kind in (DNSName, IPAddress) for value in names.get_values_for_type(kind)}
    assert found == {loaded.host, "localhost", "127.0.0.1"}
    verifier = PolicyBuilder().store(Store([authority])).build_server_verifier(DNSName("localhost"))
    assert verifier.verify(own, [])
    days = own.not_valid_after_utc - datetime.now(UTC)
    assert timedelta(days=364) < days <= timedelta(days=365)


def test_a_kit_is_what_the_hospitals_program_reads(federation: Callable[..., Path], tmp_path: Path) -> None:
    admitted, waiting = provision(load_federation(federation()))
    assert [one.name for one in admitted] == ["north", "west"]
    assert waiting == []
    for name in ("north", "west"):
        kit = tmp_path / "state" / "kits" / name
        (tmp_path / name / "kit").symlink_to(kit)
        read = load_kit(load_front(tmp_path / name / "site.toml").connection, name)
        assert (read.name, read.superlink) == (name, "127.0.0.1:18000")
        assert read.fingerprint == told(tmp_path, name)["fingerprint"]
        assert sum(path.stat().st_size for path in kit.iterdir()) < 5000
        assert not [path for path in kit.iterdir() if "PRIVATE" in path.read_text()]


def test_a_hospital_whose_key_was_not_compared_gets_no_kit(federation: Callable[..., Path], tmp_path: Path) -> None:
    admitted, waiting = provision(load_federation(federation(compared=("north",))))
    assert [one.name for one in admitted] == ["north"]
    (sentence,) = waiting
    assert sentence.startswith("west: let the hospital read out its fingerprint by phone")
    assert told(tmp_path, "west")["fingerprint"] in sentence
    assert not (tmp_path / "state" / "kits" / "west").exists()


def test_an_exchanged_key_is_refused(federation: Callable[..., Path], tmp_path: Path) -> None:
    path = federation()
    public = ec.generate_private_key(ec.SECP384R1()).public_key()
    other = public.public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH).decode()
    rewrite(tmp_path, "west", public_key=other)  # with the fingerprint that the hospital printed beside it
    (problem,) = problems(path)
    assert problem.startswith(
        "federation.toml: hospitals.west.fingerprint: the key in west.request.json has another fingerprint, "
    )
    assert fingerprint(other) in problem
    assert not (tmp_path / "state" / "kits").exists()


def test_one_key_for_two_hospitals_is_refused(federation: Callable[..., Path], tmp_path: Path) -> None:
    federation()
    rewrite(tmp_path, "west", **{key: told(tmp_path, "north")[key] for key in ("public_key", "fingerprint")})
    (problem,) = problems(federation())
    assert problem.startswith("federation.toml: hospitals.west: has the key of another hospital")


def test_requests_that_are_none_are_told_all_at_once(federation: Callable[..., Path], tmp_path: Path) -> None:
    path = federation()
    rewrite(tmp_path, "north", name="west")
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    rewrite(tmp_path, "west", public_key=key.public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH).decode())
    found = problems(path)
    assert len(found) == 2
    assert 'is of "west", not of "north"' in found[0]
    assert "is no public key of a NIST curve" in found[1]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('address = "here"', 'must be "host:port"'),
        ("listen = 0", "listen"),
        ("deadline = 0.0", "deadline"),
        ("secret = 1", "is not a known key"),
        ("x = ", "not valid TOML"),
    ],
)
def test_a_wrong_file_is_told(line: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "federation.toml"
    text = f'name = "x"\n{line}\n[hospitals]\nnorth = {{ request = "r" }}\n'
    path.write_text(text if "address" in line else f'address = "127.0.0.1:1"\n{text}', encoding="utf-8")
    given = parser().parse_args(["provision", str(path)])
    from server.commands.provision import run

    assert run_command(lambda: run(given)) == WRONG_CALL
    assert words in capsys.readouterr().err


def test_the_command_says_what_it_did(
    federation: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from server.commands.provision import run

    given = parser().parse_args(["provision", str(federation(compared=("north",)))])
    assert run_command(lambda: run(given)) == DONE
    out = capsys.readouterr().out
    assert f"north: {told(tmp_path, 'north')['fingerprint']}, kit in state/kits/north" in out
    assert "west: let the hospital read out" in out
    assert set(COMMANDS) >= {"provision", "start", "run", "status", "resume"}
