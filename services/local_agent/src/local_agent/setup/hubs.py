"""The hub's address: a resident hub's, or what git can reach, made absolute and created when it is on this machine."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from vault_protocol.errors import VaultError
from vault_protocol.hub_line import parse_address
from vault_protocol.remote import create

_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|[^/:]+:")
"""A scheme, or `host:path` as ssh has it."""


_RESIDENT = re.compile(r"https?://[^/?#]*/?")
"""No path: a git host always has one."""


def is_resident(hub: str) -> bool:
    """Whether this is the address of a resident hub. Raises VaultError when it is one that cannot be used."""
    if not _RESIDENT.fullmatch(hub):
        return False
    parse_address(hub)
    return True


def local_path(hub: str) -> Path | None:
    """Where the hub lies on this machine; None when it is elsewhere."""
    if hub.startswith("file://"):
        return Path(hub.removeprefix("file://"))
    return None if _ELSEWHERE.match(hub) else Path(hub).expanduser().absolute()


def make_hub(hub: str) -> str:
    """The address to keep in the settings. A path on this machine that does not exist becomes an empty hub."""
    if not hub or hub.startswith("-"):
        raise VaultError(f"{hub!r} is no address of a git repository")
    path = local_path(hub)
    if path is None:
        return hub
    if not path.exists():
        _create_whole(path)
    elif not (path / "HEAD").exists() and not (path / ".git").exists():
        raise VaultError(f"{path} is there and is no git repository; name another place for the hub")
    return hub if hub.startswith("file://") else str(path)


def _create_whole(path: Path) -> None:
    """The repository appears under its name only when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".countersign-hub-", dir=path.parent) as room:
        made = Path(room) / "hub.git"
        create(made)
        made.rename(path)
