"""Which mail is left to another agent: one whose message is not on this machine, which could only be asked about."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import NamedTuple

from cloud_agent.keeping import RawMail
from vault_protocol.task import Domain, Task, TaskId

MOST = 10_000
"""Mails that are remembered while they are left; more are left as well, until one of these is gone."""


class _Seen(NamedTuple):
    """`attempt` is another one each time the mail waits anew, after somebody had it."""

    attempt: int
    first: float
    last: float


class Leaving:
    """A mail whose mailbox is another agent's, or which came there first, waits `seconds` for whoever has it, each time
    that it waits.

    After that this agent takes it all the same, so that the owner is asked about a mail that nobody has.
    """

    def __init__(
        self, mailboxes: Container[str], raw: RawMail, *, seconds: float, monotonic: Callable[[], float]
    ) -> None:
        self._mailboxes, self._raw, self._seconds, self._monotonic = mailboxes, raw, seconds, monotonic
        self._seen: dict[TaskId, _Seen] = {}
        self._forgot = 0.0

    def takes(self, task: Task) -> bool:
        sha256 = task.note.front.words("sha256")
        if not self._seconds or task.domain is not Domain.EMAIL or not sha256:
            return True
        if task.note.front.words("mailbox") in self._mailboxes and self._raw.has(sha256):
            self._seen.pop(task.id, None)
            return True
        now = self._monotonic()
        seen = self._seen.get(task.id)
        if seen is None and not self._room(now):
            return False
        first = seen.first if seen is not None and seen.attempt == task.attempt else now
        self._seen[task.id] = _Seen(task.attempt, first, now)
        return now - first >= self._seconds

    def _room(self, now: float) -> bool:
        """Whether one more may be remembered; those are forgotten that were not waiting lately."""
        if len(self._seen) >= MOST and now - self._forgot >= self._seconds:
            self._seen = {id_: seen for id_, seen in self._seen.items() if now - seen.last < self._seconds}
            self._forgot = now
        return len(self._seen) < MOST


def everything(_task: Task) -> bool:
    """Of an agent that has the vault's work to itself."""
    return True
