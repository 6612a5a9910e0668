"""The owner's time zone: what they say, or else what the system is set to."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo

from vault_protocol.errors import VaultError

LAST = "UTC"
MARK = "zoneinfo/"
"""What stands before the name in the path that /etc/localtime leads to, on Linux and macOS alike."""


def chosen(given: str | None) -> str:
    """An IANA name that is known here. Raises VaultError for one that is not."""
    if given is None:
        return of_system(os.environ, Path("/etc"))
    if not is_known(given):
        raise VaultError(f"--zone {given}: there is no such time zone; write one such as Europe/Berlin, or UTC")
    return given


def of_system(environment: Mapping[str, str], etc: Path) -> str:
    """The first name that is known: TZ, where /etc/localtime leads to, /etc/timezone; UTC when none is."""
    return next((name for name in _named(environment, etc) if is_known(name)), LAST)


def is_known(name: str) -> bool:
    """A zone of the database; no path and no rule such as CET-1CEST."""
    try:
        return len(name) <= 64 and bool(ZoneInfo(name).key)
    except (ValueError, OSError, KeyError):
        return False


def _named(environment: Mapping[str, str], etc: Path) -> Iterator[str]:
    yield _in_path(environment.get("TZ", "").removeprefix(":"))
    with suppress(OSError):  # a copy, or none
        yield _in_path(str((etc / "localtime").readlink()))
    with suppress(OSError, UnicodeDecodeError):
        yield (etc / "timezone").read_text(encoding="utf-8").strip()


def _in_path(text: str) -> str:
    return text.rpartition(MARK)[2]
