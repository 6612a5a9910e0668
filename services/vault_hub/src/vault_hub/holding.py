"""One hub a repository: a lock the kernel takes back when its process ends, and what a killed one left cleared away."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from vault_protocol import janitor
from vault_protocol.errors import VaultError

QUARANTINE = "push-"
"""How the folder of a push that is being looked at begins, in objects/."""

LEFT_BEHIND = 3600.0
"""Seconds after which what is half written is nobody's, while we run: git may be repacking."""


class Hold:
    """The right to write to this repository. Raises VaultError when another hub has it."""

    def __init__(self, repository: Path) -> None:
        self._handle = os.open(repository, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._handle)
            raise VaultError(f"{repository}: another hub serves it; end that one first") from None

    def release(self) -> None:
        """Safe to repeat."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def clear_at_start(repository: Path) -> tuple[str, ...]:
    """Take away what a killed hub left: its locks, its temporary files, its quarantines. Only for who holds it."""
    locks = janitor.clear_clone(repository)
    return (
        *locks,
        *janitor.clear_tidying(repository),
        *_removed(repository, [*_temporaries(repository), *_lone_packs(repository)]),
    )


def clear_old(repository: Path, *, now: float | None = None) -> tuple[str, ...]:
    """The same beside a hub that runs: what is so old that nobody writes to it, and the locks of a tidying that was
    ended. Those of refs are the arbiter's own matter."""
    moment = time.time() if now is None else now
    found = [*_temporaries(repository), *_lone_packs(repository)]
    old = [path for path in found if _age(path, moment) >= LEFT_BEHIND]
    return (*janitor.clear_tidying(repository, now=moment), *_removed(repository, old))


def _temporaries(repository: Path) -> Iterator[Path]:
    for folder in (repository / "objects", repository / "objects" / "pack"):
        for path in folder.iterdir():
            if path.name.startswith(("tmp_", ".tmp-", QUARANTINE)):
                yield path


def _lone_packs(repository: Path) -> Iterator[Path]:
    """Packs that never got their index. Young ones may be waiting for it: a repack outlives the hub that began it."""
    now = time.time()
    for path in (repository / "objects" / "pack").glob("pack-*.pack"):
        if not path.with_suffix(".idx").exists() and _age(path, now) >= LEFT_BEHIND:
            yield path


def _age(path: Path, now: float) -> float:
    try:
        return now - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _removed(repository: Path, paths: list[Path]) -> Iterator[str]:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
        yield str(path.relative_to(repository))
