"""The secret of an account where its owner keeps it: in a file of its own, or in the OS keyring."""

from __future__ import annotations

from pathlib import Path

from vault_protocol.errors import VaultError


class NoSecret(VaultError):
    """It is not where the settings say, or cannot be read there."""


def kept_secret(file: Path | None, entry: str, what: str) -> str:
    """From the file, or from the keyring under this name when there is none. Raises NoSecret, which says `what`."""
    if file is None:
        return _from_keyring(entry, what)
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise NoSecret(f"cannot read {file}") from None


def _from_keyring(entry: str, what: str) -> str:
    from local_agent import os_keyring  # loads slowly, and only a secret that is kept there needs it

    try:
        found = os_keyring.find(entry)
    except os_keyring.KeyringUnavailable as error:
        raise NoSecret(str(error)) from None
    if found is None:
        raise NoSecret(f"the OS keyring has no {what}")
    return found
