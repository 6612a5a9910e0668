"""The owner's folder, one path at a time: no link is followed, nothing is written outside, nothing is overwritten."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from vault_protocol.errors import VaultError
from vault_protocol.files import sync_folder
from vault_protocol.mirror import rename
from vault_protocol.mirror.base import Stamp
from vault_protocol.mirror.names import PRIVATE

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Blocked(VaultError):
    """Something in the folder stands in the way of this path: leave it, go on with the others."""

    def __init__(self, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path}: {reason}")


class Kind(StrEnum):
    """What a name in the folder is. Only plain files are ever notes."""

    FILE = "file"
    LINK = "link"
    FOLDER = "folder"
    OTHER = "special file"


@dataclass(frozen=True)
class Found:
    """What lies at a path. `digest` and `content` are of the same read; None when it was not read."""

    kind: Kind
    stamp: Stamp
    digest: str | None = None
    content: bytes | None = None


class Folder:
    """The folder behind its root, reached folder by folder without following a link."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._unsynced: set[str] = set()

    def make(self, folder: str) -> None:
        """The folder and those above it, for its owner only."""
        with self._at(folder + "/.", make=True):
            pass

    def look(self, path: str) -> Found | None:
        """What is there, unread. Raises Blocked for a path below a link or a file."""
        try:
            with self._at(path) as (folder, name):
                return _found(os.stat(name, dir_fd=folder, follow_symlinks=False))
        except FileNotFoundError:
            return None
        except PermissionError:
            raise Blocked(path, "the folder may not be entered") from None

    def read(self, path: str, limit: int) -> Found | None:
        """What is there; a plain file of at most `limit` bytes with its content and their digest."""
        try:
            with self._at(path) as (folder, name):
                return _read(folder, name, limit)
        except FileNotFoundError:
            return None
        except PermissionError:
            raise Blocked(path, "the folder may not be entered") from None

    def stage(self, path: str, temp: str, content: bytes, *, sync: bool) -> None:
        """Write `content` whole under a temporary name in the folder of `path`."""
        with self._at(path, make=True) as (folder, _):
            handle = os.open(temp + ".new", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                if sync:
                    os.fsync(file.fileno())
            os.rename(temp + ".new", temp + ".tmp", src_dir_fd=folder, dst_dir_fd=folder)

    def put(self, path: str, temp: str) -> None:
        """The staged file gets its name. Raises FileExistsError when anything is there."""
        with self._at(path) as (folder, name):
            rename.move((folder, temp + ".tmp"), (folder, name))
            self._touched(path)

    def swap(self, path: str, temp: str) -> None:
        """The staged file and what is at the path change places. FileNotFoundError when nothing is there,
        FileExistsError when a file system without exchange let somebody in between; what was there is in `temp`."""
        with self._at(path) as (folder, name):
            rename.exchange(folder, name, temp + ".tmp", temp + ".old")
            self._touched(path)

    def take(self, path: str, temp: str) -> None:
        """What is at the path, if anything, goes to the temporary name."""
        with suppress(FileNotFoundError), self._at(path) as (folder, name):
            os.rename(name, temp + ".tmp", src_dir_fd=folder, dst_dir_fd=folder)
            self._touched(path)

    def came_out(self, path: str, temp: str, limit: int) -> tuple[tuple[str, Found, bool], ...]:
        """What lies under the temporary names: (its name, what it is, whether somebody still writes to it)."""
        out = []
        with suppress(FileNotFoundError), self._at(path) as (folder, _):
            with suppress(FileNotFoundError):
                os.unlink(temp + ".new", dir_fd=folder)
            for name in (temp + ".tmp", temp + ".old"):
                writing = _is_written_to(folder, name)
                found = _read(folder, name, limit)
                if found is not None:
                    out.append((name, found, writing))
        return tuple(out)

    def drop(self, path: str, name: str) -> None:
        """Delete a temporary file beside `path`."""
        with suppress(FileNotFoundError), self._at(path) as (folder, _):
            os.unlink(name, dir_fd=folder)

    def keep(self, path: str, name: str, target: str) -> None:
        """Give what lies under a temporary name beside `path` a name of its own. Raises FileExistsError."""
        with self._at(path) as (source, _), self._at(target, make=True) as (folder, new):
            rename.move((source, name), (folder, new))
            self._touched(target)

    def move(self, path: str, target: str) -> None:
        """Raises FileNotFoundError, FileExistsError."""
        with self._at(path) as (source, name), self._at(target, make=True) as (folder, new):
            rename.move((source, name), (folder, new))
            self._touched(path)
            self._touched(target)

    def leftovers(self) -> Iterator[tuple[str, str]]:
        """Temporary files of the mirror, as (folder, name)."""
        root = os.fspath(self.root)
        for at, _, files in os.walk(root):
            yield from ((at[len(root) + 1 :], name) for name in files if name.startswith(PRIVATE))

    def sync_all(self) -> None:
        """Every byte written so far survives a power loss."""
        rename.sync_file_system(self.root)

    def sync(self) -> None:
        """Every rename so far survives a power loss."""
        for folder in sorted(self._unsynced):
            with suppress(FileNotFoundError, NotADirectoryError):
                sync_folder(self.root / folder)
        self._unsynced.clear()

    def _touched(self, path: str) -> None:
        self._unsynced.add(path.rpartition("/")[0])

    @contextmanager
    def _at(self, path: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """The open folder of a path, and its last name."""
        *parts, name = path.split("/")
        handle = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in parts:
                below = _enter(handle, part, path, make)
                os.close(handle)
                handle = below
            yield handle, name
        finally:
            os.close(handle)


def _enter(folder: int, name: str, path: str, make: bool) -> int:
    if name in ("", ".", ".."):
        raise Blocked(path, "the path leaves the folder")
    try:
        try:
            return os.open(name, _FOLDER, dir_fd=folder)
        except FileNotFoundError:
            if not make:
                raise
            with suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=folder)
            return os.open(name, _FOLDER, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise Blocked(path, f"{name!r} above it is a link or a file, not a folder") from None
        raise


def _read(folder: int, name: str, limit: int) -> Found | None:
    """The stamp is older than the content, so that a write in between shows at the next look."""
    try:
        handle = os.open(name, _FILE, dir_fd=folder)
    except OSError:
        try:
            return _found(os.stat(name, dir_fd=folder, follow_symlinks=False))
        except (FileNotFoundError, NotADirectoryError):
            return None
    try:
        found = _found(os.fstat(handle))
        if found.kind is not Kind.FILE:
            return found
        with os.fdopen(handle, "rb", closefd=False) as file:
            content = file.read(limit + 1)
    finally:
        os.close(handle)
    if len(content) > limit:
        return found
    return replace(found, digest=sha256(content).hexdigest(), content=content)


def _is_written_to(folder: int, name: str) -> bool:
    """Whether some program holds this file open for writing; no, where the system has no leases."""
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        handle = os.open(name, _FILE, dir_fd=folder)
    except OSError:
        return False
    try:
        fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)  # the default, SIGIO, would end this process
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    finally:
        os.close(handle)
    return False


def _found(status: os.stat_result) -> Found:
    for is_kind, kind in ((stat.S_ISREG, Kind.FILE), (stat.S_ISLNK, Kind.LINK), (stat.S_ISDIR, Kind.FOLDER)):
        if is_kind(status.st_mode):
            return Found(kind, _stamp(status))
    return Found(Kind.OTHER, _stamp(status))


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino
