"""
A self-signed certificate for this machine, for clients that require https.

It is not a certificate authority: a client that trusts it only trusts a server on 127.0.0.1 or localhost with
its key.
"""

from __future__ import annotations

import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sfcode.lazy_dataclasses import dataclass
from sfcode.local.store import Store

FOLDER = "tls"
NAME = "sfcode local org"
LIFETIME = timedelta(days=397)
"""The longest lifetime that browsers and Apple's libraries accept."""
RENEWED = timedelta(days=30)
"""The remaining lifetime at which a certificate is replaced."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The paths of a certificate and its key."""

    certificate: Path
    key: Path


def get_identity(store: Store) -> Identity:
    """
    Return the certificate of an org, stored beside its state.

    The certificate is created once, and renewed shortly before it expires.
    """
    folder = store.path.parent.resolve() / FOLDER
    identity = Identity(folder / "certificate.pem", folder / "key.pem")
    # The first writer creates it: the others, in this process or another, wait and find it.
    with store.transaction():
        if not _is_good(identity):
            folder.mkdir(exist_ok=True)
            certificate, key = _generate()
            _write(identity.key, key, 0o600)
            _write(identity.certificate, certificate, 0o644)
    return identity


def _is_good(identity: Identity) -> bool:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        certificate = x509.load_pem_x509_certificate(identity.certificate.read_bytes())
        key = load_pem_private_key(identity.key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        return False
    # The machine's clock and not the org's, since clients check the certificate with it.
    lasts = certificate.not_valid_after_utc - datetime.now(UTC) > RENEWED
    return lasts and certificate.public_key() == key.public_key()


def _write(path: Path, content: bytes, mode: int) -> None:
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    temporary.replace(path)


def _generate() -> tuple[bytes, bytes]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    addresses = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(addresses), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private
