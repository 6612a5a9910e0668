"""Which vault an agent works in and whose word it follows: the vault's id and the owner's public key.

The hub beside this agent leaves them in a folder once an owner has joined. An agent on a machine of its own asks its
hub for them, once it is let in, and keeps what it was told first.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import structlog

log = structlog.get_logger()

LOOK, ASK = 1.0, 35.0
"""Seconds between two looks into the folder, and two knocks at the hub, whose alarm counts to 20 in ten minutes."""


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


def awaited(
    folder: Path, endings: Collection[signal.Signals], ask: Callable[[], None] | None = None
) -> Introduction | None:
    """Until it is there, or None when a signal came first. No other thread runs yet.

    `ask` tries to bring it; without it somebody else does.
    """
    old = signal.pthread_sigmask(signal.SIG_BLOCK, endings)
    try:
        found = read(folder)
        if found is None:
            log.info("agent.waiting", what="owner" if ask is None else "hub")
        while found is None:
            if ask is not None:
                ask()
                found = read(folder)
            if found is None:
                if signal.sigtimedwait(endings, LOOK if ask is None else ASK) is not None:
                    return None
                found = read(folder)
        return found
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)
