"""The OS keyring: secrets by the name of what they open."""

from __future__ import annotations

import keyring
from keyring.errors import KeyringError, PasswordDeleteError

from vault_protocol.errors import VaultError

SERVICE = "countersign"
"""The service name of our entries."""


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
    """What is not there is forgotten already. Raises KeyringUnavailable."""
    try:
        keyring.delete_password(SERVICE, name)
    except PasswordDeleteError:
        return
    except KeyringError as error:
        raise _unavailable(error) from None


def there_is_one() -> bool:
    """Whether this machine has a keyring that keeps secrets; a locked one counts."""
    return bool(keyring.get_keyring().priority >= 1)


def _unavailable(error: KeyringError) -> KeyringUnavailable:
    return KeyringUnavailable(
        f"the OS keyring cannot be used ({type(error).__name__}); unlock it, install one (Secret Service, KWallet), "
        "or choose another --key-protection, and a key_file for the books"
    )
