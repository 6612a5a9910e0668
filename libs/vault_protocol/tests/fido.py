"""What a FIDO authenticator makes, in software (PROTOCOL.u2f): it signs application, flags, counter and message."""

from __future__ import annotations

import hashlib
import struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from vault_protocol import sshsig
from vault_protocol.sshsig import PublicKey

APPLICATION = b"ssh:"
TOUCHED, VERIFIED = 0x01, 0x04


def public_of(key: Ed25519PrivateKey) -> PublicKey:
    return PublicKey(PublicKey.of(key).raw, APPLICATION)


def signature(
    key: Ed25519PrivateKey, message: bytes, space: str, *, flags: int = TOUCHED, application: bytes = APPLICATION,
    claimed: PublicKey | None = None,
) -> str:  # fmt: skip
    """Armored. `claimed` is the key it says it is by."""
    digest = string(hashlib.sha512(message).digest())
    signed = b"SSHSIG" + string(space.encode()) + string(b"") + string(b"sha512") + digest
    tail = bytes([flags]) + struct.pack(">I", 42)
    raw = key.sign(hashlib.sha256(application).digest() + tail + hashlib.sha256(signed).digest())
    blob = string(b"sk-ssh-ed25519@openssh.com") + string(raw) + tail
    return sshsig.armor(claimed or public_of(key), blob, space)


def string(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value
