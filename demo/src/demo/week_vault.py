"""What the week looks at: the vault as any reader has it, every note of a task read once for what does not change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from demo.tail import Tail
from vault_protocol import layout, notes, plain, updates
from vault_protocol.hub import CommitId
from vault_protocol.task import AgentId, Stage, Task, TaskId


@dataclass(frozen=True)
class Seen:
    """A task, where it stands, and the mail that it is about; `reminds` is the task it reminds of."""

    id: TaskId
    stage: Stage
    path: str
    message_id: str
    reminds: str
    plan: str
    """The owner's note, for the task of a plan."""
    step: str
    """The plan that the task drafts a step for."""


class Vault:
    """`look` brings it up to date."""

    def __init__(self, tail: Tail) -> None:
        self._tail = tail
        self._fixed: dict[TaskId, tuple[str, str, str, str]] = {}
        self._seen: dict[TaskId, Seen] = {}
        self._head: CommitId | None = None

    def look(self) -> bool:
        """Always True, for conditions that begin with it."""
        self._tail.new()
        head = self._tail.head
        if head is None or head == self._head:
            return True
        self._head, self._seen = head, {}
        for path, _ in self._tail.store.paths(head):
            place = layout.place_of(path)
            if place is None:
                continue
            if place.id not in self._fixed:
                front = self._read(path).note.front
                self._fixed[place.id] = (
                    plain.message_id_meant(front.words("message_id")),
                    front.words("reminds"),
                    front.words("plan_from"),
                    front.words("plan"),
                )
            self._seen[place.id] = Seen(place.id, place.stage, path, *self._fixed[place.id])
        return True

    def wait(self, seconds: float) -> None:
        self._tail.wait(seconds)

    @property
    def by_message_id(self) -> Mapping[str, list[Seen]]:
        """The tasks that mails were made into, without reminders and the steps of plans."""
        found: dict[str, list[Seen]] = {}
        for seen in self._seen.values():
            if seen.message_id and not seen.reminds and not seen.step:
                found.setdefault(seen.message_id, []).append(seen)
        return found

    def reminder(self, message_id: str) -> bool:
        """Whether one is drafted for the mail that was answered; it may not be decided yet."""
        self.look()
        return any(
            seen.reminds and seen.message_id == message_id and seen.stage is Stage.PENDING_APPROVAL
            for seen in self._seen.values()
        )

    def reminders(self) -> list[Seen]:
        return [seen for seen in self._seen.values() if seen.reminds]

    def at(self, stage: Stage) -> set[TaskId]:
        return {seen.id for seen in self._seen.values() if seen.stage is stage}

    def busy(self) -> bool:
        """Whether Cloud has something to do; a plan that waits for the owner gives it nothing."""
        open_ = [seen for seen in self._seen.values() if seen.stage in (Stage.NEEDS_ACTION, Stage.IN_PROGRESS)]
        return any(
            not seen.plan or not self._read(seen.path).note.front.words("waiting_for").startswith("approval of")
            for seen in open_
        )

    def plans(self) -> dict[str, Task]:
        """The tasks of the owner's plans, by the path of their note."""
        return {seen.plan: self._read(seen.path) for seen in self._seen.values() if seen.plan}

    def count(self) -> Counter[Stage]:
        return Counter(seen.stage for seen in self._seen.values())

    def tasks(self, stage: Stage) -> list[Task]:
        self.look()
        return [self._read(seen.path) for seen in self._seen.values() if seen.stage is stage]

    def task(self, id_: TaskId) -> Task:
        return self._read(self._seen[id_].path)

    def has(self, path: str) -> bool:
        self.look()
        return self._tail.read(path) is not None

    def paths(self, folder: str) -> list[str]:
        return [path for path, _ in self._tail.store.paths(self._head, folder)] if self._head else []

    def last_word(self, agent: str) -> datetime | None:
        return updates.last_word(*(self._tail.read(path) for path in updates.both_paths(AgentId(agent))))

    def commits(self) -> int:
        return len(self._tail.store.history(None, self._head)) if self._head else 0

    def _read(self, path: str) -> Task:
        return notes.read(path, self._tail.read(path) or b"")
