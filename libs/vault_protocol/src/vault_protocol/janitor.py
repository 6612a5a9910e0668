"""Clearing what killed git processes leave behind: locks that nobody holds, and half-written objects."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

SURELY_STALE = 600.0
"""Seconds after which a lock is stale where running processes cannot be seen. git holds a ref lock for milliseconds."""

HALF_WRITTEN = 3600.0
"""Seconds after which a temporary object or pack is nobody's any more."""

_PROC = Path("/proc")


def clear_clone(repository: Path) -> tuple[str, ...]:
    """Take every lock out of a clone of our own. Only for whoever holds that clone alone: no git runs on it now."""
    return tuple(_removed(repository, _locks(repository)))


def clear_hub(repository: Path, *, now: float | None = None) -> tuple[str, ...]:
    """Take stale locks out of a hub on this machine: those that no running git process can be holding.

    `now` is wall time in seconds. Returns the names of what was removed.
    """
    moment = time.time() if now is None else now
    half = [path for path in _temporaries(repository) if _age(path, moment) >= HALF_WRITTEN]
    locks = list(_locks(repository))
    if not locks and not half:
        return ()
    seen = _busy(repository)
    if seen:
        return ()
    oldest = SURELY_STALE if seen is None else 0.0
    return tuple(_removed(repository, [*half, *(lock for lock in locks if _age(lock, moment) >= oldest)]))


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
    return False


def _locks(repository: Path) -> Iterator[Path]:
    for name in ("HEAD.lock", "packed-refs.lock", "config.lock", "shallow.lock"):
        if (repository / name).exists():
            yield repository / name
    yield from (repository / "refs").rglob("*.lock")


def _temporaries(repository: Path) -> Iterator[Path]:
    objects = repository / "objects"
    yield from objects.glob("pack/tmp_*")
    yield from objects.glob("*/tmp_obj_*")


def _age(path: Path, now: float) -> float:
    try:
        return now - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _removed(repository: Path, paths: Iterator[Path] | list[Path]) -> Iterator[str]:
    for path in paths:
        path.unlink(missing_ok=True)
        yield str(path.relative_to(repository))
