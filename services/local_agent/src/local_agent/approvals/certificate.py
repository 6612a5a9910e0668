"""The page's own certificate for the owner's private network: no authority vouches for it, the owner compares it."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from local_agent.home import Home
from vault_protocol.files import write_private

DAYS = 397
"""Browsers take no certificate that holds for longer."""


def kept(home: Home, host: str, now: datetime) -> tuple[Path, Path]:
    """The key and the certificate for this address, made when there is none that will hold for a month, or when the
    two do not belong together."""
    key, certificate = home.path / "keys" / "page.key", home.path / "keys" / "page.crt"
    if not (_holds(certificate, host, now + timedelta(days=30)) and _belong_together(key, certificate)):
        _make(key, certificate, host, now)
    return key, certificate


def fingerprint(certificate: Path) -> str:
    """SHA-256 as browsers show it."""
    digest = x509.load_pem_x509_certificate(certificate.read_bytes()).fingerprint(hashes.SHA256())
    return digest.hex(":").upper()


def _holds(certificate: Path, host: str, then: datetime) -> bool:
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        named = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    return ipaddress.ip_address(host) in named.get_values_for_type(x509.IPAddress) and found.not_valid_after_utc > then


def _belong_together(key: Path, certificate: Path) -> bool:
    try:
        private = serialization.load_pem_private_key(key.read_bytes(), None)
        shown = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError, TypeError):
        return False
    return private.public_key() == shown.public_key()


def _make(key_file: Path, certificate_file: Path, host: str, now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Countersign")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_private(key_file, pem)
    write_private(certificate_file, made.public_bytes(serialization.Encoding.PEM))
