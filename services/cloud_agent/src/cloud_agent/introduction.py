"""What the hub beside this agent leaves for it once an owner has joined: the vault's id and the owner's public key."""

from __future__ import annotations

import signal
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import structlog

log = structlog.get_logger()

LOOK = 1.0
"""Seconds between two looks."""


@dataclass(frozen=True)
class Introduction:
    """`owner_key_file` is a path that stays readable."""

    vault: str
    owner_key_file: Path


def read(folder: Path) -> Introduction | None:
    """None while nobody has joined. The file with the vault's id is written last."""
    try:
        vault = (folder / "vault").read_text(encoding="ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    return Introduction(vault, folder / "owner.pub") if vault else None


def awaited(folder: Path, endings: Collection[signal.Signals]) -> Introduction | None:
    """Until it is there, or None when a signal came first. No other thread runs yet."""
    old = signal.pthread_sigmask(signal.SIG_BLOCK, endings)
    try:
        found = read(folder)
        if found is None:
            log.info("agent.waiting", what="owner")
        while found is None:
            if signal.sigtimedwait(endings, LOOK) is not None:
                return None
            found = read(folder)
        return found
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)
