"""When a task is tried again, and when it has failed too often."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vault_protocol.clock import Clock
from vault_protocol.files import write_private
from vault_protocol.task import TaskId

MOST_FAILURES = 3
"""The failure with this number sets a task aside."""


@dataclass(frozen=True)
class Pauses:
    """Growing, jittered, bounded pauses in seconds."""

    first: float = 5.0
    longest: float = 900.0
    jitter: Callable[[], float] = random.random

    def seconds(self, failures: int) -> float:
        """How long to wait after this many failures in a row (1, 2, …)."""
        return min(self.longest, self.first * 2.0 ** min(failures - 1, 30)) * (0.5 + self.jitter() / 2)


class Later:
    """Which tasks wait for their next try. Kept in memory: a restart tries everything again."""

    def __init__(self, clock: Clock, pauses: Pauses) -> None:
        self._clock, self._pauses = clock, pauses
        self._due: dict[str, tuple[int, float]] = {}

    def put_off(self, what: str) -> float:
        """Wait longer than the last time; returns the seconds."""
        failures = self._due.get(what, (0, 0.0))[0] + 1
        seconds = self._pauses.seconds(failures)
        self._due[what] = failures, self._clock.monotonic() + seconds
        return seconds

    def forget(self, what: str) -> None:
        self._due.pop(what, None)

    def waits(self, what: str) -> bool:
        return what in self._due and self._clock.monotonic() < self._due[what][1]

    def failures(self, what: str) -> int:
        return self._due.get(what, (0, 0.0))[0]

    def soonest(self) -> float | None:
        """Seconds until the next of them is due; None when nothing waits."""
        left = [due - self._clock.monotonic() for _, due in self._due.values()]
        return min((seconds for seconds in left if seconds > 0), default=None)


class Failures:
    """How often work on a task began and did not end, in a file per task: a crash counts like an exception."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._owed: set[TaskId] = set()

    def begin(self, task: TaskId) -> tuple[int, str]:
        """Count one more try; returns how many failed before, and what the last of them died of."""
        failed, cause = self._read(task)
        failed -= task in self._owed
        self._write(task, failed + 1, "crash")
        self._owed.discard(task)
        return failed, cause

    def name(self, task: TaskId, cause: str) -> int:
        """Say what the try that began last died of; returns how many failed by now."""
        failed, _ = self._read(task)
        self._write(task, failed, cause)
        return failed

    def take_back(self, task: TaskId) -> None:
        """The try that began last was nobody's failure; on a full disk that is remembered until it can be written."""
        failed, cause = self._read(task)
        try:
            if failed > 1:
                self._write(task, failed - 1, cause)
            else:
                self.clear(task)
        except OSError:
            self._owed.add(task)

    def clear(self, task: TaskId) -> None:
        self._path(task).unlink(missing_ok=True)

    def _read(self, task: TaskId) -> tuple[int, str]:
        try:
            found = re.fullmatch(r"([0-9]{1,3}) (\w{1,80})\n", self._path(task).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return 0, ""
        return (int(found[1]), found[2]) if found else (1, "crash")

    def _write(self, task: TaskId, failed: int, cause: str) -> None:
        write_private(self._path(task), f"{failed} {cause[:80]}\n".encode())

    def _path(self, task: TaskId) -> Path:
        return self._folder / task
