"""A certificate of Caddy's own authority that has ended, put where Caddy keeps the one it serves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.stack.disks import keeper
from tests.stack.docker import docker

_AUTHORITY = "/disks/caddy/caddy/pki/authorities/local"
_SERVED = "/disks/caddy/caddy/certificates/local/{name}/{name}"
OVER = timedelta(hours=1)
"""How long ago it ended."""


def expire(project: str, name: str) -> None:
    """The certificate that Caddy keeps for `name` is one that ended an hour ago; served from the next start on."""
    held = {
        part: docker("exec", keeper(project), "cat", f"{_AUTHORITY}/intermediate.{part}") for part in ("crt", "key")
    }
    authority = x509.load_pem_x509_certificate(held["crt"].encode())
    signer = serialization.load_pem_private_key(held["key"].encode(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key, end = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC) - OVER
    made = (
        x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(authority.subject)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(hours=12)).not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    for part, content in (("crt", made.public_bytes(pem) + held["crt"].encode() + b"\n"), ("key", private)):
        # Into the file that is there: its owner and mode stay.
        at = f"{_SERVED.format(name=name)}.{part}"
        docker("exec", "-i", keeper(project), "sh", "-c", f"cat >{at}", feed=content)
