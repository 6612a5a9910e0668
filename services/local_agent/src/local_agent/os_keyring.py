"""The OS keyring: secrets by the name of what they open."""

from __future__ import annotations

import threading
from contextlib import suppress

import keyring
from keyring.errors import KeyringError

from vault_protocol.errors import VaultError

SERVICE = "countersign"
"""The service name of our entries."""


PATIENCE = 60.0
"""Seconds that the owner has for a keyring that asks to be opened."""


class KeyringUnavailable(VaultError):
    """This machine has no keyring that would keep the secret, or the keyring is locked or has lost it."""


def keep(name: str, secret: str) -> None:
    """Raises KeyringUnavailable."""
    try:
        keyring.set_password(SERVICE, name, secret)
    except KeyringError as error:
        raise _unavailable(error) from None


def find(name: str) -> str | None:
    """Raises KeyringUnavailable."""
    try:
        return keyring.get_password(SERVICE, name)
    except KeyringError as error:
        raise _unavailable(error) from None


def forget(name: str) -> None:
    """Nothing happens when it is not there, or when there is no keyring."""
    with suppress(KeyringError):
        keyring.delete_password(SERVICE, name)


def offered(name: str, secret: str, seconds: float = PATIENCE) -> bool:
    """Keep it if there is a keyring that gives it back. One that asks its owner and hears nothing counts as none."""
    kept: list[bool] = []

    def offer() -> None:
        with suppress(KeyringUnavailable):
            keep(name, secret)
            kept.append(find(name) == secret)

    thread = threading.Thread(target=offer, name="keyring", daemon=True)
    thread.start()
    thread.join(seconds)
    return kept == [True]


def there_is_one() -> bool:
    """Whether this machine has a keyring that keeps secrets; a locked one counts."""
    return bool(keyring.get_keyring().priority >= 1)


def _unavailable(error: KeyringError) -> KeyringUnavailable:
    return KeyringUnavailable(
        f"the OS keyring cannot be used ({type(error).__name__}); unlock it, install one (Secret Service, KWallet), "
        "or choose another --key-protection, and a key_file for the books"
    )
