"""The coordinator's certificate authority and its server's certificate; a key is made once and never overwritten."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from server.disk import write_whole
from server.federation_file import Federation, is_number

CA_YEARS = 10
EARLY = timedelta(minutes=5)  # for clocks that are slow


def ensure_authority(state: Path) -> None:
    """``ca.key`` and ``ca.crt``, if they are not there."""
    if (state / "ca.key").exists():
        return
    key = _new_key(state / "ca.key")
    name, now = _name("Medley federation"), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - EARLY)
        .not_valid_after(now + timedelta(days=365 * CA_YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA384())
    )
    _write(state / "ca.crt", certificate)


def ensure_server_certificate(federation: Federation, now: datetime | None = None) -> None:
    """``server.key``, if it is not there, and a new ``server.crt`` for the address and for loopback."""
    state, now = federation.state, now or datetime.now(UTC)
    key = _key(state / "server.key") if (state / "server.key").exists() else _new_key(state / "server.key")
    authority, signer = read_certificate(state / "ca.crt"), _key(state / "ca.key")
    certificate = (
        x509.CertificateBuilder(
            authority.subject, _name(federation.host), key.public_key(), x509.random_serial_number()
        )
        .not_valid_before(now - EARLY)
        .not_valid_after(now + timedelta(days=federation.file.days))
        .add_extension(x509.SubjectAlternativeName(_names(federation.host)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA384())
    )
    _write(state / "server.crt", certificate)


def read_certificate(path: Path) -> x509.Certificate:
    """A certificate from its PEM file."""
    return x509.load_pem_x509_certificate(path.read_bytes())


def valid(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether a certificate holds at this time."""
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _names(host: str) -> list[x509.GeneralName]:
    """The host, and loopback, where Flower's own processes connect; each once."""
    found: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    own = x509.IPAddress(ipaddress.ip_address(host)) if is_number(host) else x509.DNSName(host)
    return found if own in found else [own, *found]


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _new_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = ec.generate_private_key(ec.SECP384R1())
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_whole(path, text, mode=0o600)
    return key


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _write(path: Path, certificate: x509.Certificate) -> None:
    write_whole(path, certificate.public_bytes(serialization.Encoding.PEM))
