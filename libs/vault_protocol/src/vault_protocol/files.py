"""Files appear whole or not at all: a temporary file beside them, fsync, rename, fsync of the folder."""

from __future__ import annotations

import ctypes
import os
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from .errors import VaultError


def write_whole(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Replace or create `path` durably."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".countersign-", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_private(path: Path, content: bytes) -> None:
    """A file only its owner may read, in a folder only they may enter."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(path, content, 0o600)


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder survive a power loss."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_all(handles: Sequence[int]) -> None:
    """Make what was written to these durable: all are on their way to the disk before the first is waited for, so that
    the file system commits them together.

    Raises OSError when any of them is not.
    """
    for handle in handles[1:]:
        _send(handle)
    for handle in handles:
        os.fsync(handle)


_WRITE = 2
"""SYNC_FILE_RANGE_WRITE: begin to write what is not written, and wait for nothing."""


def _send(handle: int) -> None:
    """Begin writing a file out, where the system can; what fails here is seen by the sync that follows."""
    call = _sync_file_range()
    if call is not None:
        call(handle, 0, 0, _WRITE)


@cache
def _sync_file_range() -> Callable[[int, int, int, int], int] | None:
    found = getattr(ctypes.CDLL(None), "sync_file_range", None)
    if found is not None:
        found.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    return found


def secret_line(file: Path) -> str:
    """The one line of a secret's file. Raises VaultError, without a word of it."""
    try:
        line = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise VaultError(f"{file}: cannot be read ({type(error).__name__})") from None
    if not line or "\n" in line:
        raise VaultError(f"{file}: one line is wanted, the secret and nothing else")
    return line
