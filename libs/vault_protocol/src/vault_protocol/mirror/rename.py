"""What Linux can and Python cannot: renames that never overwrite, exchanges, syncfs; elsewhere what comes nearest."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

_NOREPLACE, _EXCHANGE = 1, 2
_LACKING = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP})

_libc = ctypes.CDLL(None, use_errno=True)


def move(source: tuple[int, str], target: tuple[int, str]) -> None:
    """Rename (folder, name); FileExistsError when the target is there.

    Without renameat2: a second link, then one name fewer. Without hard links (FAT): a look first, so that a file which
    appears between look and rename would be replaced.
    """
    if _renameat2(source, target, _NOREPLACE):
        return
    try:
        os.link(source[1], target[1], src_dir_fd=source[0], dst_dir_fd=target[0], follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:
        if exists(*target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target[1]) from None
        os.rename(source[1], target[1], src_dir_fd=source[0], dst_dir_fd=target[0])
        return
    os.unlink(source[1], dir_fd=source[0])


def exchange(folder: int, name: str, other: str, spare: str) -> None:
    """Swap two names in one folder: whatever `name` was ends up under `other`, also when this raises.

    Without renameat2 it steps aside to `spare` first, so that `name` is missing for a moment; FileExistsError when
    somebody filled that moment: theirs stays, and what was under `other` is gone.
    """
    if _renameat2((folder, name), (folder, other), _EXCHANGE):
        return
    os.rename(name, spare, src_dir_fd=folder, dst_dir_fd=folder)
    try:
        move((folder, other), (folder, name))
    finally:
        os.rename(spare, other, src_dir_fd=folder, dst_dir_fd=folder)


def exists(folder: int, name: str) -> bool:
    """Whether anything, a dangling link too, has this name."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def sync_file_system(folder: Path) -> None:
    """Wait until the file system of this folder is on disk; of all, where there is no syncfs."""
    call = getattr(_libc, "syncfs", None)
    if call is None:
        return os.sync()
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if call(handle) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), os.fspath(folder))
    finally:
        os.close(handle)


def _renameat2(source: tuple[int, str], target: tuple[int, str], flags: int) -> bool:
    """False when this system or file system has no such rename."""
    call = getattr(_libc, "renameat2", None)
    if call is None:
        return False
    if call(source[0], os.fsencode(source[1]), target[0], os.fsencode(target[1]), flags) == 0:
        return True
    code = ctypes.get_errno()
    if code in _LACKING:
        return False
    raise OSError(code, os.strerror(code), target[1])
