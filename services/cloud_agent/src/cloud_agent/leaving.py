"""Which mail is left to another agent: one whose message is not on this machine, which could only be asked about."""

from __future__ import annotations

from collections.abc import Callable, Container

from cloud_agent.keeping import RawMail
from vault_protocol.task import Domain, Task, TaskId

MOST = 10_000
"""Mails that were seen and left, that are remembered; of more the first are seen anew."""


class Leaving:
    """A mail whose mailbox is another agent's, or which came there first, waits `seconds` for whoever has it.

    After that this agent takes it all the same, so that the owner is asked about a mail that nobody has.
    """

    def __init__(
        self, mailboxes: Container[str], raw: RawMail, *, seconds: float, monotonic: Callable[[], float]
    ) -> None:
        self._mailboxes, self._raw, self._seconds, self._monotonic = mailboxes, raw, seconds, monotonic
        self._seen: dict[TaskId, float] = {}

    def takes(self, task: Task) -> bool:
        sha256 = task.note.front.words("sha256")
        if not self._seconds or task.domain is not Domain.EMAIL or not sha256:
            return True
        if task.note.front.words("mailbox") in self._mailboxes and self._raw.has(sha256):
            self._seen.pop(task.id, None)
            return True
        now = self._monotonic()
        if task.id not in self._seen and len(self._seen) >= MOST:
            self._seen.pop(next(iter(self._seen)))
        return now - self._seen.setdefault(task.id, now) >= self._seconds


def everything(_task: Task) -> bool:
    """Of an agent that has the vault's work to itself."""
    return True
