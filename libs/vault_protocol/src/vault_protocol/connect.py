"""The one place that tells a resident hub from a plain git remote: the first has a token."""

from __future__ import annotations

from pathlib import Path

from .errors import VaultError
from .hub import Hub
from .hub_client import HubClient
from .remote import Remote
from .store import GitStore


def connect(store: GitStore, address: str, *, token_file: Path | None = None, ca_file: Path | None = None) -> Hub:
    """The hub at this address. Raises VaultError when the token cannot be read."""
    if token_file is None:
        return Remote(store, address)
    try:
        token = token_file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise VaultError(f"hub token: cannot read {token_file} ({type(error).__name__})") from None
    if not token:
        raise VaultError(f"hub token: {token_file} is empty")
    return HubClient(store, address, token, ca_file=ca_file)
