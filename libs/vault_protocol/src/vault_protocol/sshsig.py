"""SSH signatures (`SSHSIG`, as `ssh-keygen -Y sign` makes them), for Ed25519 keys in a file or on a FIDO token.

Source: OpenSSH PROTOCOL.sshsig and PROTOCOL.u2f.
"""

from __future__ import annotations

import hashlib
import struct
from base64 import b64decode, b64encode
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_MAGIC = b"SSHSIG"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_ED25519, _SK_ED25519 = b"ssh-ed25519", b"sk-ssh-ed25519@openssh.com"
_USER_PRESENT = 0x01


class BadSignature(Exception):
    """The signature is not by this key over these bytes; the message says which part failed."""


@dataclass(frozen=True)
class PublicKey:
    """An Ed25519 key as one line of an authorized_keys file: 32 raw bytes, and the application for a FIDO key."""

    raw: bytes
    application: bytes | None = None

    @classmethod
    def parse(cls, line: str) -> PublicKey:
        """From `ssh-ed25519 AAAA… comment` or `sk-ssh-ed25519@openssh.com AAAA… comment`; ValueError otherwise."""
        words = line.split()
        if len(words) < 2 or words[0].encode() not in (_ED25519, _SK_ED25519):
            raise ValueError("not an ssh-ed25519 or sk-ssh-ed25519 public key")
        key = cls._from_blob(b64decode(words[1], validate=True))
        if key.line().split()[0] != words[0]:
            raise ValueError("the key is of another type than its line says")
        return key

    @classmethod
    def _from_blob(cls, blob: bytes) -> PublicKey:
        kind, rest = _take(blob)
        raw, rest = _take(rest)
        application: bytes | None = None
        if kind == _SK_ED25519:
            application, rest = _take(rest)
        if kind not in (_ED25519, _SK_ED25519) or rest or len(raw) != 32:
            raise ValueError("not an Ed25519 public key")
        return cls(raw, application)

    @classmethod
    def of(cls, key: Ed25519PrivateKey) -> PublicKey:
        return cls(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    @property
    def blob(self) -> bytes:
        if self.application is None:
            return _string(_ED25519) + _string(self.raw)
        return _string(_SK_ED25519) + _string(self.raw) + _string(self.application)

    def line(self, comment: str = "") -> str:
        kind = _ED25519 if self.application is None else _SK_ED25519
        return " ".join(filter(None, (kind.decode(), b64encode(self.blob).decode(), comment)))


def sign(key: Ed25519PrivateKey, message: bytes, *, namespace: str) -> str:
    """An armored signature over the message, good in this namespace only."""
    signature = _string(_ED25519) + _string(key.sign(_signed(message, namespace)))
    return armor(PublicKey.of(key), signature, namespace)


def armor(key: PublicKey, signature: bytes, namespace: str) -> str:
    """The text form of a signature blob."""
    blob = _MAGIC + struct.pack(">I", 1) + _string(key.blob) + _string(namespace.encode()) + _string(b"")
    text = b64encode(blob + _string(b"sha512") + _string(signature)).decode()
    return "\n".join([_BEGIN, *(text[i : i + 70] for i in range(0, len(text), 70)), _END]) + "\n"


def verify(key: PublicKey, message: bytes, armored: str, *, namespace: str) -> None:
    """Raises BadSignature unless this very key signed these bytes in this namespace (with a touch, on FIDO)."""
    try:
        embedded, space, algorithm, signature = _parse(armored)
        kind, rest = _take(signature)
        raw, rest = _take(rest)
    except ValueError as error:
        raise BadSignature(f"not an SSH signature: {error}") from None
    if embedded != key:
        raise BadSignature("made with another key")
    if space != namespace.encode():
        raise BadSignature(f"made for {space.decode('ascii', 'replace')!r}, not for {namespace!r}")
    signed = _signed(message, namespace, algorithm)
    if key.application is not None:
        if kind != _SK_ED25519 or len(rest) != 5:
            raise BadSignature("not a FIDO signature")
        if not rest[0] & _USER_PRESENT:
            raise BadSignature("the FIDO key was not touched")
        signed = hashlib.sha256(key.application).digest() + rest + hashlib.sha256(signed).digest()
    elif kind != _ED25519 or rest:
        raise BadSignature("not an Ed25519 signature")
    try:
        Ed25519PublicKey.from_public_bytes(key.raw).verify(raw, signed)
    except InvalidSignature:
        raise BadSignature("the signature does not fit these bytes") from None


def _parse(armored: str) -> tuple[PublicKey, bytes, bytes, bytes]:
    text = armored.strip()
    if not (text.startswith(_BEGIN) and text.endswith(_END)) or len(text) > 8192:
        raise ValueError("no SSH SIGNATURE armor")
    blob = b64decode("".join(text[len(_BEGIN) : -len(_END)].split()), validate=True)
    if blob[:6] != _MAGIC or blob[6:10] != struct.pack(">I", 1):
        raise ValueError("unknown version")
    key, rest = _take(blob[10:])
    namespace, rest = _take(rest)
    _reserved, rest = _take(rest)
    algorithm, rest = _take(rest)
    signature, rest = _take(rest)
    if rest or algorithm not in (b"sha512", b"sha256"):
        raise ValueError("unknown hash or trailing bytes")
    return PublicKey._from_blob(key), namespace, algorithm, signature


def _signed(message: bytes, namespace: str, algorithm: bytes = b"sha512") -> bytes:
    digest = hashlib.new(algorithm.decode(), message).digest()
    return _MAGIC + _string(namespace.encode()) + _string(b"") + _string(algorithm) + _string(digest)


def _string(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def _take(blob: bytes) -> tuple[bytes, bytes]:
    length = int.from_bytes(blob[:4], "big")
    if len(blob) < 4 or len(blob) < 4 + length:
        raise ValueError("cut short")
    return blob[4 : 4 + length], blob[4 + length :]
