"""Watching the folder: which paths to look at again, and an event for whoever waits. When in doubt: all of them."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from vault_protocol.mirror import names

_EVENTS: list[type[FileSystemEvent]] = [
    FileCreatedEvent, FileModifiedEvent, FileClosedEvent, FileMovedEvent, FileDeletedEvent,
    DirCreatedEvent, DirMovedEvent, DirDeletedEvent,
]  # fmt: skip
_LOGGER = logging.getLogger("watchdog")


class Watch(FileSystemEventHandler):
    """Collects paths from the observer's thread until `take`."""

    def __init__(self, root: Path, changed: threading.Event) -> None:
        """Raises OSError when the system has no room for another watch."""
        self._root, self._changed = os.fspath(root), changed
        self._lock = threading.Lock()
        self._paths: set[str] = set()
        self._everything = True
        self._overflow = _Overflow(self)
        self._observer = Observer()
        self._observer.schedule(self, self._root, recursive=True, event_filter=_EVENTS)
        self._observer.start()
        _LOGGER.addHandler(self._overflow)

    def take(self) -> set[str] | None:
        """The paths since the last call; None when everything must be looked at."""
        with self._lock:
            paths, everything = self._paths, self._everything or not self._is_alive()
            self._paths, self._everything = set(), False
            self._changed.clear()
            return None if everything else paths

    def lost(self) -> None:
        """Some events were not seen."""
        with self._lock:
            self._everything = True
            self._changed.set()

    def close(self) -> None:
        _LOGGER.removeHandler(self._overflow)
        self._observer.stop()
        self._observer.join()

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.is_directory:
            if not names.is_ignored(self._path(event.src_path) + "/-") or event.dest_path:
                self.lost()
            return
        paths = {self._path(path) for path in (event.src_path, event.dest_path) if path}
        wanted = {path for path in paths if not names.is_ignored(path)}
        if wanted:
            with self._lock:
                self._paths |= wanted
                self._changed.set()

    def _path(self, path: bytes | str) -> str:
        return os.path.relpath(os.fsdecode(path), self._root)

    def _is_alive(self) -> bool:
        return self._observer.is_alive() and all(emitter.is_alive() for emitter in self._observer.emitters)


class _Overflow(logging.Handler):
    """watchdog tells of events that the kernel dropped, and of its own failures, in its log only."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(logging.WARNING)
        self._watch = watch

    def emit(self, record: logging.LogRecord) -> None:
        self._watch.lost()
