"""The one place that tells a resident hub from a plain git remote: the first has a token."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from .errors import VaultError
from .hub import Hub
from .hub_client import HubClient
from .remote import Remote
from .store import GitStore


def connect(
    store: GitStore, address: str, *, token_file: Path | None = None, ca_file: Path | None = None,
    token: Callable[[], str] | None = None, way_out: str | None = None,
) -> Hub:  # fmt: skip
    """The hub at this address; `token` reads one that lies in no file, `way_out` is the proxy to a resident one.

    Raises VaultError when address, token or CA file cannot be used.
    """
    read = partial(read_token, token_file) if token is None and token_file is not None else token
    if read is None:
        if ca_file is not None:
            raise VaultError("hub_ca_file is for a resident hub, which also needs hub_token_file")
        return Remote(store, address)
    return HubClient(store, address, read(), ca_file=ca_file, again=read, way_out=way_out)


def read_token(file: Path) -> str:
    """An agent's token, as `vault_hub agent add` printed it. Raises VaultError."""
    try:
        token = file.read_text(encoding="ascii").strip()
    except OSError as error:
        raise VaultError(f"hub_token_file: cannot read {file}: {os.strerror(error.errno or 0)}") from None
    except UnicodeDecodeError:
        token = ""
    if not token or len(token.split()) != 1:
        raise VaultError(f"hub_token_file: {file} holds no token; `vault_hub agent add` or `rotate` prints one")
    return token
