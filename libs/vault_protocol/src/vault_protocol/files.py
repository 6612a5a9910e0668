"""Files appear whole or not at all: a temporary file beside them, fsync, rename, fsync of the folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
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
    """Make what was written to these durable, at the same time: the file system commits them together.

    Raises OSError when any of them is not; none is under way any more when this returns or raises.
    """
    first, *others = handles
    waiting = [_syncing().submit(os.fsync, handle) for handle in others]
    try:
        os.fsync(first)
    finally:
        wait(waiting)
    for one in waiting:
        one.result()


@cache
def _syncing() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2, "sync")


def secret_line(file: Path) -> str:
    """The one line of a secret's file. Raises VaultError, without a word of it."""
    try:
        line = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise VaultError(f"{file}: cannot be read ({type(error).__name__})") from None
    if not line or "\n" in line:
        raise VaultError(f"{file}: one line is wanted, the secret and nothing else")
    return line
