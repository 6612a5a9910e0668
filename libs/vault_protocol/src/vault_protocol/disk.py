"""What a disk says when it takes or gives no bytes: one error, in words, for every way there is to say it."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EDQUOT, EFBIG, EIO, ENOSPC, EROFS
from pathlib import Path

from .errors import DiskTrouble

_WORDS = {
    ENOSPC: "no room left on this disk; free some",
    EDQUOT: "the quota on this disk is used up; free some room or raise it",
    EFBIG: "a file may not grow any larger here; raise the limit (ulimit -f)",
    EIO: "this disk cannot be read or written; look what the system's log says of it",
    EROFS: "this disk can only be read; mount it for writing",
}
_OF_SQLITE = {
    sqlite3.SQLITE_FULL: ENOSPC,
    sqlite3.SQLITE_IOERR: EIO,
    sqlite3.SQLITE_CANTOPEN: EIO,
    sqlite3.SQLITE_CORRUPT: EIO,  # also what it makes of a read that failed
    sqlite3.SQLITE_NOTADB: EIO,
    sqlite3.SQLITE_READONLY: EROFS,
}
_NEXT_TO_NOTHING = 64 << 10
GOES_ON = "what waits goes on by itself then"


def trouble(code: int, where: object) -> DiskTrouble:
    """The error for one of these codes; any other counts as a disk that fails."""
    return DiskTrouble(f"{where}: {_WORDS.get(code, _WORDS[EIO])}; {GOES_ON}")


def named(error: BaseException, where: object) -> DiskTrouble | None:
    """What this error says of a disk, or None. `where`: the file or folder, when the error does not know it."""
    if isinstance(error, DiskTrouble):
        return error
    if isinstance(error, OSError) and error.errno in _WORDS:
        return trouble(error.errno, error.filename or where)
    if isinstance(error, sqlite3.Error):
        code = _OF_SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
        if code == EIO and _is_full(where):  # SQLite says so of the file it shares its memory by
            code = ENOSPC
        return trouble(code, where) if code is not None else None
    return None


_NO_CAUSE = "couldn't write '"
"""What git says of a ref's file that found no room: its name, and not why."""


@contextmanager
def watched(where: object) -> Iterator[None]:
    """Raises DiskTrouble for whatever a disk says in this block; every other error passes."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        found = named(error, where)
        if found is None:
            raise
        raise found from error


def said(line: str) -> int | None:
    """The code that another program's line (in the C locale) speaks of, or None."""
    if _NO_CAUSE in line:
        return ENOSPC
    return next((code for code in _WORDS if os.strerror(code) in line), None)


def hold_room(folder: Path, wanted: int) -> None:
    """Raises DiskTrouble when fewer than so many bytes can still be written into this folder."""
    found = os.statvfs(folder)
    if found.f_bavail * found.f_frsize < wanted:
        raise DiskTrouble(f"{folder}: less than {wanted >> 20} MiB left on this disk; free some; {GOES_ON}")


def _is_full(where: object) -> bool:
    try:
        found = os.statvfs(str(where))
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < _NEXT_TO_NOTHING


class Stream:
    """Standard output or error for a log: a line that a full disk does not take is lost, and nothing fails by it."""

    def __init__(self, name: str) -> None:
        """`name`: "stdout" or "stderr"; whatever stands there when a line is written."""
        self._name = name

    def write(self, text: str) -> int:
        with suppress(OSError):
            getattr(sys, self._name).write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            getattr(sys, self._name).flush()
