"""Local's token at a resident hub: in the OS keyring where there is one, else in a private file of the home.

Set-up and `connect` write the file first, so that a kill loses nothing, and move it then. What lies in the file is
newer than what lies in the keyring.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from vault_protocol.connect import read_token
from vault_protocol.errors import VaultError
from vault_protocol.files import write_private

if TYPE_CHECKING:
    from local_agent.home import Settings

LEFT = "this-machine-has-left-the-hub"
"""Stands in the place of a token that was given back; it opens nothing."""


def belongs_to(settings: Settings) -> bool:
    """Whether the hub of these settings is a resident one."""
    return settings.hub_token_file is not None or settings.hub_token_entry is not None


def read(file: Path, settings: Settings) -> str:
    """`file`: where the home keeps it when the keyring does not. Raises VaultError."""
    if settings.hub_token_entry is None or file.exists():
        return read_token(settings.hub_token_file or file)
    from local_agent import os_keyring  # loads slowly, and only a token that is kept there needs it

    found = os_keyring.find(settings.hub_token_entry)
    if not found:
        raise VaultError(
            f"the OS keyring has no {settings.hub_token_entry!r}: get a code (./just join-code) and run "
            f"`countersign connect {settings.hub} --code CODE`, or `countersign init --hub-token-file FILE`"
        )
    return found


def moved(file: Path, settings: Settings) -> dict[str, str | None]:
    """Offer the file's token to the keyring; what changes in the settings when it took it. The file stays."""
    if settings.hub_token_file is None or not file.exists():
        return {}
    from local_agent import os_keyring

    entry = f"token at {settings.hub} ({secrets.token_hex(4)})"  # two homes of one machine have one each
    if not os_keyring.offered(entry, read_token(file)):
        return {}
    return {"hub_token_file": None, "hub_token_entry": entry}


def tidy(file: Path, settings: Settings) -> None:
    """Once the settings name the keyring, the file goes."""
    if settings.hub_token_entry is not None:
        file.unlink(missing_ok=True)


def renewed(file: Path, settings: Settings) -> None:
    """A new token came into the file: it goes where the old one was. Without a keyring today it stays in the file."""
    if settings.hub_token_entry is None:
        return
    from local_agent import os_keyring

    if os_keyring.offered(settings.hub_token_entry, read_token(file)):
        tidy(file, settings)


def leave(file: Path, settings: Settings) -> None:
    """The hub has voided it: nothing of it stays."""
    write_private(settings.hub_token_file or file, f"{LEFT}\n".encode("ascii"))
    if settings.hub_token_entry is not None:
        from local_agent import os_keyring

        os_keyring.forget(settings.hub_token_entry)
