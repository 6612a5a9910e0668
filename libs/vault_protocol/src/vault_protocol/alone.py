"""One process for each state folder: two would write over each other."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import VaultError


class AlreadyRunning(VaultError):
    """Another process works with this state folder: end it, or give this one its own."""


@contextmanager
def alone(state: Path, name: str) -> Iterator[None]:
    """Holds the lock NAME.lock in `state` for one block; a kill frees it. Raises AlreadyRunning, or VaultError when the
    folder cannot be used."""
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(state / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise VaultError(f"state_dir: cannot use {state}: {os.strerror(error.errno or 0)}") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(f"another process works with {state}; end it, or use another state_dir") from None
        yield
    finally:
        os.close(handle)
