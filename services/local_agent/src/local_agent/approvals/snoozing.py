"""What the owner does not want to see for a while. It stays on this machine and changes nothing about the draft."""

from __future__ import annotations

import json
import threading
from datetime import datetime
from pathlib import Path

from vault_protocol.canonical import moment, utc
from vault_protocol.clock import Clock
from vault_protocol.files import write_private
from vault_protocol.task import Task


class Snoozed:
    """Until when each revision is put aside. Another revision is news, and shown."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock, self._guard = path, clock, threading.Lock()
        self._until = _read(path)

    def put(self, task: Task, until: datetime) -> None:
        now = self._clock.now()
        with self._guard:
            kept = {mark: then for mark, then in self._until.items() if then > now}
            self._write({**kept, _mark(task): until})

    def wake(self, task: Task) -> None:
        with self._guard:
            self._write({mark: then for mark, then in self._until.items() if mark != _mark(task)})

    def until(self, task: Task) -> datetime | None:
        """None once its time is over."""
        then = self._until.get(_mark(task))
        return then if then is not None and then > self._clock.now() else None

    def _write(self, until: dict[str, datetime]) -> None:
        write_private(self._path, json.dumps({mark: utc(then) for mark, then in until.items()}).encode("ascii"))
        self._until = until


def _mark(task: Task) -> str:
    return f"{task.id}.{task.revision}"


def _read(path: Path) -> dict[str, datetime]:
    try:
        return {mark: moment(then) for mark, then in json.loads(path.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, AttributeError):
        return {}
