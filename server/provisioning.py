"""Everything that a federation needs before it starts: authority, server certificate, and a kit for each hospital."""

from pathlib import Path

from server.admission import Admitted, admit
from server.certificates import ensure_authority, ensure_server_certificate
from server.disk import write_whole
from server.federation_file import Federation

KIT = """# From the coordinator; nothing in it is secret. Check the fingerprint against what `client keys` printed.
name = "{name}"
superlink = "{address}"
fingerprint = "{fingerprint}"
"""
READ_ME = """To take part as {name}: put this folder beside your site.toml under the name kit, and type

    python -m client approve site.toml --study STUDY.toml
    python -m client join site.toml

Your machine connects out to {address}, and nothing connects to it.
"""


def provision(federation: Federation) -> tuple[list[Admitted], list[str]]:
    """Make what is missing; existing keys stay. Returns admitted hospitals, and a sentence for each that waits."""
    federation.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    federation.state.chmod(0o700)
    ensure_authority(federation.state)
    ensure_server_certificate(federation)
    admitted, waiting = admit(federation)
    for hospital in admitted:
        write_kit(federation, hospital)
    return admitted, waiting


def write_kit(federation: Federation, hospital: Admitted) -> Path:
    """The few small files that a hospital gets."""
    kit = federation.state / "kits" / hospital.name
    told = {"name": hospital.name, "address": federation.file.address, "fingerprint": hospital.fingerprint}
    write_whole(kit / "kit.toml", KIT.format(**told).encode())
    write_whole(kit / "README.txt", READ_ME.format(**told).encode())
    write_whole(kit / "ca.crt", (federation.state / "ca.crt").read_bytes())
    return kit
