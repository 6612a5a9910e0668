"""Cloud's own secrets as the hub has them: files on its machine, one secret each, read again when they change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from vault_protocol.errors import VaultError
from vault_protocol.scan import NO_SECRETS, OwnSecrets

log = structlog.get_logger()

LOOKED_EVERY = 1.0
"""Seconds between two looks whether one changed."""

LARGEST = 64 * 1024
"""Bytes of one secret."""


class SecretFiles:
    """These files, and every file in this folder. Safe for several threads."""

    def __init__(self, files: Sequence[Path], folder: Path, *, monotonic: Callable[[], float]) -> None:
        """Raises VaultError for a file that cannot be read."""
        self._files, self._folder, self._monotonic = files, folder, monotonic
        self._lock = threading.Lock()
        self._found, self.count, self._mark = NO_SECRETS, 0, ""
        self._looked = -LOOKED_EVERY
        self._read(self._marked())

    def now(self) -> OwnSecrets:
        """As they are. One that cannot be read any more leaves those that were read before."""
        if self._monotonic() - self._looked >= LOOKED_EVERY:
            with self._lock:
                self._looked = self._monotonic()
                try:
                    mark = self._marked()
                    if mark != self._mark:
                        self._read(mark)
                except VaultError as error:
                    log.error("secrets.unreadable", error=str(error))
        return self._found

    def _paths(self) -> list[Path]:
        if not self._folder.is_dir():
            return list(self._files)
        return [*self._files, *sorted(path for path in self._folder.iterdir() if not path.name.startswith("."))]

    def _marked(self) -> str:
        try:
            return repr([(str(path), (state := path.stat()).st_mtime_ns, state.st_ino) for path in self._paths()])
        except OSError as error:
            raise VaultError(f"secrets: cannot read {error.filename}: {error.strerror}") from None

    def _read(self, mark: str) -> None:
        values = [_value(path) for path in self._paths()]
        self._found, self.count, self._mark = OwnSecrets.of(values), len(values), mark


def _value(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise VaultError(f"secrets: cannot read {path}: {why}") from None
