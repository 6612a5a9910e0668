"""One process for each state folder: two would stage into the same spool."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backup.errors import BackupError, BadSettings


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """A kill frees it. Raises BackupError while another process has it."""
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(state / "backup.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise BadSettings(f"state_dir: cannot use {state}: {os.strerror(error.errno or 0)}") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"another process backs up with {state}; end it, or wait until it has") from None
        yield
    finally:
        os.close(handle)
