"""Makes the keys that never leave the hospital, and the request that does: a public key and its fingerprint."""

import base64
import hashlib
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from client.connection import AGENT_KEYS, COURIER_KEYS
from client.page import page
from client.site import Front, load_front
from client.state import private_folder, write_synced
from shared.command_line import DONE

KEY = "node"  # the private key's file in the courier's folder
YEARS = 5  # for which the two certificates between courier and agent are good


def make_keys(site_file: Path) -> int:
    """The command: make the node key if there is none, write the request, and print the fingerprint."""
    front, console = load_front(site_file), page()
    home = private_folder(front.connection.home)
    made = not (home / KEY).exists()
    if made:
        _make_node_key(home, front.name)
    public = (home / f"{KEY}.pub").read_text(encoding="utf-8").strip()
    request = {"medley": 1, "name": front.name, "public_key": public, "fingerprint": fingerprint(public)}
    path = home / f"{front.name}.request.json"
    path.write_text(json.dumps(request, indent=1) + "\n", encoding="utf-8")
    if front.connection.address:
        _make_certificates(front)
    console.print("A new node key was made." if made else "The node key was there already, and was kept.")
    console.print(f"Send the coordinator {path.name}; it holds nothing secret. Read this out by phone:")
    console.print(f"  {fingerprint(public)}", soft_wrap=True, style="bold")
    return DONE


def fingerprint(public: str) -> str:
    """SHA-256 of an OpenSSH public key, as ``ssh-keygen -lf`` prints it."""
    digest = hashlib.sha256(base64.b64decode(public.split()[1])).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def _make_node_key(home: Path, name: str) -> None:
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP384R1())
    private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption())
    public = key.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH)
    write_synced(home / f"{KEY}.pub", public + f" {name}\n".encode())
    write_synced(home / KEY, private)  # last: with it, all is there


def _make_certificates(front: Front) -> None:
    """One certificate for each side of the TCP connection between courier and agent; each trusts only the other's."""
    mine, theirs = private_folder(front.state) / AGENT_KEYS, front.connection.home / COURIER_KEYS
    if (mine / "agent.key").exists():
        return
    host = front.connection.address.rpartition(":")[0]
    agent, courier = _certificate(host), _certificate("courier")
    for folder, own, key in ((mine, "agent", agent[0]), (theirs, "courier", courier[0])):
        private_folder(folder)
        for name, certificate in (("agent", agent[1]), ("courier", courier[1])):
            write_synced(folder / f"{name}.crt", certificate)
        write_synced(folder / f"{own}.key", key)
    os.sync()


def _certificate(host: str) -> tuple[bytes, bytes]:
    """(Private key, self-signed certificate for a host), both PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))  # for clocks that differ
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([_alternative(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    return private, certificate.public_bytes(form.Encoding.PEM)


def _alternative(host: str):  # type: ignore[no-untyped-def]
    from ipaddress import ip_address

    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
