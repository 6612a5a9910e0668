"""The code by which a machine joins a hub: a secret that opens once, and whom to believe on the first visit."""

from __future__ import annotations

import hashlib
import re
from base64 import b32encode, b64decode
from dataclasses import dataclass, field

_SECRET = re.compile(r"[a-z2-7]{12}")
_AUTHORITY = re.compile(r"(?:[a-z2-7]{24})?")
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)\s+-----END CERTIFICATE-----")

SECRET_BYTES = 8
"""Of which the first 60 bits are used."""


@dataclass(frozen=True)
class JoinCode:
    """`authority`: fingerprint of the certificate that vouches for the hub; empty for one the system knows."""

    secret: str = field(repr=False)
    authority: str = ""

    @classmethod
    def of(cls, randomness: bytes, certificate: str = "") -> JoinCode:
        """Raises ValueError when `certificate` is no PEM."""
        secret = b32encode(randomness[:SECRET_BYTES]).decode("ascii").lower()[:12]
        return cls(secret, fingerprint(certificate) if certificate else "")

    @classmethod
    def parse(cls, text: str) -> JoinCode:
        """As a person types it: case, spaces and dashes do not matter. Raises ValueError."""
        secret, _, authority = re.sub(r"[\s-]", "", text).lower().partition(".")
        if not _SECRET.fullmatch(secret) or not _AUTHORITY.fullmatch(authority):
            raise ValueError("this is no join code; it looks like abcd-efgh-ijkl, or longer with a dot in it")
        return cls(secret, authority)

    def __str__(self) -> str:
        secret = "-".join(self.secret[at : at + 4] for at in range(0, 12, 4))
        return f"{secret}.{self.authority}" if self.authority else secret


def fingerprint(certificate: str) -> str:
    """120 bits of the SHA-256 of one certificate in PEM. Raises ValueError."""
    found = _PEM.findall(certificate)
    if len(found) != 1:
        raise ValueError("this is not one certificate in PEM")
    der = b64decode("".join(found[0].split()), validate=True)
    return b32encode(hashlib.sha256(der).digest()).decode("ascii").lower()[:24]
