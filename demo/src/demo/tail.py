"""Following the hub from outside, as any reader can: each signed changeset becomes one line of the story."""

from __future__ import annotations

from dataclasses import dataclass

from vault_protocol import layout, notes
from vault_protocol.errors import HubUnreachable, MalformedNote
from vault_protocol.hub import CommitId, Hub
from vault_protocol.store import GitStore
from vault_protocol.task import Stage, Task, TaskId


@dataclass(frozen=True)
class Event:
    """One changeset: who, what, and the task it moved with the place it moved to."""

    agent: str
    verb: str
    task: TaskId | None
    path: str
    stage: Stage | None


class Tail:
    """Reads new commits of the hub; holds no key and writes nothing."""

    def __init__(self, store: GitStore, hub: Hub) -> None:
        """`hub` brings what it knows into `store`."""
        self.store, self._hub = store, hub
        self.head: CommitId | None = None

    def new(self) -> list[Event]:
        """What happened since the last call, oldest first; nothing while the hub is away."""
        try:
            head = self._hub.refresh()
        except HubUnreachable:
            return []
        if head is None or head == self.head:
            return []
        events = []
        for commit in self.store.history(self.head, head):
            before = commit.parents[0] if commit.parents else None
            moved = [change for change in self.store.changes(before, commit.id) if change.new]
            places = [(change.path, layout.place_of(change.path)) for change in moved]
            path, place = next(
                ((path, place) for path, place in places if place), (moved[0].path if moved else "", None)
            )
            events.append(
                Event(
                    commit.author, commit.message.partition(":")[0], place.id if place else None, path,
                    place.stage if place else None,
                )
            )  # fmt: skip
        self.head = head
        return events

    def wait(self, seconds: float) -> None:
        """Until the hub's head moves, or so long."""
        self._hub.wait(seconds)

    def close(self) -> None:
        self._hub.close()

    def tasks(self) -> list[Task]:
        """Every readable task at the head."""
        if self.head is None:
            return []
        found = []
        for path, blob in self.store.paths(self.head):
            if layout.place_of(path):
                try:
                    found.append(notes.read(path, self.store.blob(blob)))
                except MalformedNote:
                    continue
        return found

    def task(self, subject_part: str) -> Task | None:
        """The task whose subject holds these words."""
        return next((t for t in self.tasks() if subject_part in t.note.front.words("subject")), None)

    def read(self, path: str) -> bytes | None:
        return self.store.read(self.head, path) if self.head else None
