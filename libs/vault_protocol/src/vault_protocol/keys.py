"""Ed25519 keys in files. The private half of an agent's key signs its changesets; the approval key has a passphrase."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_ssh_private_key,
)

from .errors import VaultError
from .files import write_private
from .sshsig import PublicKey


class KeyLocked(VaultError):
    """The key needs its passphrase: `countersign unlock`, or approve by command."""


class WrongPassphrase(VaultError):
    """The passphrase does not open this key."""


def new() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def save(key: Ed25519PrivateKey, path: Path, *, comment: str, passphrase: str | None = None) -> PublicKey:
    """Write `path` (0600, OpenSSH format) and `path.pub`. Raises VaultError rather than replace a key."""
    if path.exists():
        raise VaultError(f"{path} exists; a key is never overwritten")
    lock = BestAvailableEncryption(passphrase.encode("utf-8")) if passphrase else NoEncryption()
    write_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, lock))
    public = PublicKey.of(key)
    write_private(path.with_name(path.name + ".pub"), (public.line(comment) + "\n").encode("utf-8"))
    return public


def load(path: Path, passphrase: str | None = None) -> Ed25519PrivateKey:
    """Raises KeyLocked without a passphrase it needs, WrongPassphrase, or VaultError when it is no such key."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise VaultError(f"cannot read the key {path}: {os.strerror(error.errno or 0)}") from None
    try:
        key = load_ssh_private_key(content, passphrase.encode("utf-8") if passphrase else None)
    except TypeError:
        if passphrase:
            return load(path)
        raise KeyLocked(f"the key {path.name} is locked; run `countersign unlock`") from None
    except ValueError:
        reason = "the passphrase does not open it" if passphrase else "it is not an OpenSSH private key"
        raise (WrongPassphrase if passphrase else VaultError)(f"{path.name}: {reason}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise VaultError(f"{path.name} is not an Ed25519 key")
    return key


def is_locked(path: Path) -> bool:
    """Whether the key in this file needs a passphrase. Raises VaultError when it is no such key."""
    try:
        load(path)
    except KeyLocked:
        return True
    return False


def load_public(path: Path) -> PublicKey:
    try:
        return PublicKey.parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise VaultError(f"{path}: {error}") from None
