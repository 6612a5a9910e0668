"""Once for each thing that waits and each way of telling; in a thread of its own, so that no work waits for it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from local_agent.notify.settings import NotifySettings
from local_agent.notify.ways import NotTold, Tell
from vault_protocol.errors import VaultError
from vault_protocol.files import write_private
from vault_protocol.plain import one_line

log = structlog.get_logger()

FIRST, LONGEST = timedelta(seconds=30), timedelta(hours=1)
"""Until it is tried again after a failure; it doubles."""

LISTED, SHOWN = 5, 120
"""Subjects in one text, and characters of each."""

Waiting = Mapping[str, str]
"""What waits, `TASK.REVISION` to its subject."""


class Line:
    """One way of telling, with what it has told. Not for several threads but for `troubled`."""

    def __init__(self, settings: NotifySettings, tell: Tell, told: Iterable[str]) -> None:
        self.settings, self._tell, self.told = settings, tell, set(told)
        self.trouble = ""
        self._after: datetime | None = None
        self._failures = 0

    def has_to(self, waiting: Waiting, now: datetime) -> bool:
        """Whether there is something to tell, or to forget, and it does not rest."""
        return waiting.keys() != self.told and (self._after is None or now >= self._after)

    def take(self, waiting: Waiting, now: datetime) -> bool:
        """Tell what it has not told; whether it did. A crash between the two may tell twice, and never less."""
        self.told &= waiting.keys()
        new = [mark for mark in waiting if mark not in self.told]
        if not new or (self._after is not None and now < self._after):
            return False
        try:
            self._tell(text(self.settings, waiting, new))
        except (NotTold, VaultError, OSError) as error:
            self._failures += 1
            wait = min(FIRST * 2 ** min(self._failures - 1, 10), LONGEST)
            self._after = now + max(wait, (error.again if isinstance(error, NotTold) else None) or wait)
            if str(error) != self.trouble:
                log.warning("notify.trouble", name=self.settings.name, reason=str(error))
            self.trouble = str(error)
            return False
        self.told |= set(new)
        self.trouble, self._failures = "", 0
        self._after = now + timedelta(minutes=self.settings.quiet_minutes)
        return True


class Notifier:
    """All of the owner's ways. `step` never blocks and raises nothing of theirs."""

    def __init__(
        self, settings: Iterable[NotifySettings], way: Callable[[NotifySettings], Tell], path: Path,
        now: Callable[[], datetime],
    ) -> None:  # fmt: skip
        """`path` keeps what was told, without a word of it."""
        told = _read(path)
        self._lines = [Line(one, way(one), told.get(one.name, ())) for one in settings]
        self._path, self._now = path, now
        self._thread: threading.Thread | None = None

    def step(self, waiting: Waiting) -> None:
        """Have it told in the background, unless that is still being done."""
        if not self._lines or (self._thread is not None and self._thread.is_alive()):
            return
        if not any(line.has_to(waiting, self._now()) for line in self._lines):
            return
        self._thread = threading.Thread(target=self.tell, args=(dict(waiting),), name="notify", daemon=True)
        self._thread.start()

    def tell(self, waiting: Waiting) -> None:
        """Every way once, here and now."""
        before = [set(line.told) for line in self._lines]
        for line in self._lines:
            line.take(waiting, self._now())
        if [line.told for line in self._lines] != before:
            told = {line.settings.name: sorted(line.told) for line in self._lines}
            try:
                write_private(self._path, json.dumps(told).encode("ascii"))
            except OSError as error:
                log.warning("notify.unwritten", reason=str(error))

    def troubles(self) -> dict[str, str]:
        """Each way, and why it did not reach the owner; empty when it did, or had nothing to tell."""
        return {line.settings.name: line.trouble for line in self._lines}


def text(settings: NotifySettings, waiting: Waiting, new: Iterable[str]) -> str:
    """How many wait; below it, when the owner wants that, the subjects of the new ones as one harmless line each."""
    count = len(waiting)
    head = "1 thing waits for you" if count == 1 else f"{count} things wait for you"
    if settings.telling == "count":
        return head
    subjects = [one_line(waiting[mark])[:SHOWN] or "without a subject" for mark in new]
    more = [f"and {len(subjects) - LISTED} more"] if len(subjects) > LISTED else []
    return "\n".join([head, *subjects[:LISTED], *more])


def _read(path: Path) -> dict[str, list[str]]:
    try:
        found = json.loads(path.read_text(encoding="ascii"))
        return {str(name): [str(mark) for mark in marks] for name, marks in found.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
