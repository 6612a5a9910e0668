"""Clearing what killed git processes leave behind: locks that nobody holds, and half-written objects."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

SURELY_STALE = 600.0
"""Seconds after which a lock is stale where running processes cannot be seen. git holds a ref lock for milliseconds."""

HALF_WRITTEN = 3600.0
"""Seconds after which a temporary object or pack is nobody's any more."""

_PROC = Path("/proc")
_OF_GIT = ("tmp_obj_", "tmp_pack_", "tmp_idx_", "tmp_rev_")


def clear_clone(repository: Path) -> tuple[str, ...]:
    """Take every lock out of a clone of our own. Only for whoever holds that clone alone: no git runs on it now."""
    return tuple(_removed(repository, _locks(repository)))


def clear_half_written(clone: Path) -> tuple[str, ...]:
    """Take away what a git that failed in this clone wrote by halves: a full disk gets one more with every try.

    As `clear_clone`, only for whoever holds the clone. libgit2's own are left: another thread may write them now.
    """
    return tuple(_removed(clone, [path for path in _temporaries(clone) if path.name.startswith(_OF_GIT)]))


def clear_hub(repository: Path, *, now: float | None = None) -> tuple[str, ...]:
    """Take stale locks out of a hub on this machine: those that no running git process can be holding.

    `now` is wall time in seconds. Returns the names of what was removed.
    """
    moment = time.time() if now is None else now
    half = [path for path in _temporaries(repository) if _age(path, moment) >= HALF_WRITTEN]
    locks = {lock: _mark(lock) for lock in _locks(repository)}
    if not locks and not half:
        return ()
    seen = _busy(repository)
    if seen:
        return ()
    stale = _stale(locks, moment, oldest=SURELY_STALE if seen is None else 0.0)
    return tuple(_removed(repository, [*half, *stale]))


def clear_tidying(repository: Path, *, now: float | None = None) -> tuple[str, ...]:
    """Take away the locks of a commit-graph or an index of packs that no running git process can be holding. A git
    that finds one there writes neither, for ever. `now` and what it returns are as for `clear_hub`."""
    moment = time.time() if now is None else now
    locks = {lock: _mark(lock) for lock in _of_tidying(repository)}
    if not locks:
        return ()
    oldest = HALF_WRITTEN if _busy(repository) is not False else 0.0
    return tuple(_removed(repository, _stale(locks, moment, oldest=oldest)))


def _stale(locks: Mapping[Path, tuple[int, int] | None], moment: float, *, oldest: float) -> list[Path]:
    """Those that are so old, and still the ones that were seen."""
    return [lock for lock, seen_as in locks.items() if _age(lock, moment) >= oldest and _mark(lock) == seen_as]


def _of_tidying(repository: Path) -> Iterator[Path]:
    for folder in ("info", "info/commit-graphs", "pack"):
        yield from (repository / "objects" / folder).glob("*.lock")


def _busy(repository: Path) -> bool | None:
    """Whether a git process works on this repository; None where processes cannot be seen."""
    if not (_PROC / "self").exists():
        return None
    wanted = str(repository).encode()
    for process in _PROC.iterdir():
        if not process.name.isdigit():
            continue
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"git" in words[0] and any(wanted in word for word in words[1:]):
            return True
        if words == [b""] and _starts(process):
            return True
    return False


def _starts(process: Path) -> bool:
    """Whether a process has a program, but no words yet: it may become anything. Kernel threads have none."""
    try:
        (process / "exe").readlink()
    except OSError:
        return False
    return True


def _mark(path: Path) -> tuple[int, int] | None:
    """Which file lies there: a lock taken a moment ago is not the one that was seen before."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns


def _locks(repository: Path) -> Iterator[Path]:
    for name in ("HEAD.lock", "packed-refs.lock", "config.lock", "shallow.lock"):
        if (repository / name).exists():
            yield repository / name
    for folder, _, names in os.walk(repository / "refs"):  # unlike rglob, at ease with folders that go meanwhile
        yield from (Path(folder) / name for name in names if name.endswith(".lock"))


def _temporaries(repository: Path) -> Iterator[Path]:
    for folder in ("", "pack", *(f"{number:02x}" for number in range(256))):
        try:
            there = list((repository / "objects" / folder).iterdir())
        except FileNotFoundError:
            continue
        yield from (path for path in there if path.name.startswith("tmp_"))


def _age(path: Path, now: float) -> float:
    try:
        return now - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _removed(repository: Path, paths: Iterator[Path] | list[Path]) -> Iterator[str]:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
        yield str(path.relative_to(repository))
