"""A real folder, a real repository, a clock that moves when told, and an owner who does what owners do."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from libs.vault_protocol.tests import made

from vault_protocol import moves, notes
from vault_protocol.hub import Commit, CommitId, Edits
from vault_protocol.mirror import Decided, Edited, Item, Mirror, Removed, Verdict, rename
from vault_protocol.mirror.base import Base
from vault_protocol.note import Note
from vault_protocol.scan import OwnSecrets
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId, Stage, Task
from vault_protocol.testing import TestClock

LOCAL = AgentId("local")
NOTE = "Pending_Approval/email/aaaaaaaaaaaaaaaa-your-question.r1.md"
APPROVED = "Approved/aaaaaaaaaaaaaaaa-your-question.r1.md"
HANDBOOK = "Company_Handbook.md"
DASHBOARD = "Dashboard.md"

One = TypeVar("One", bound=Item)


class World:
    """`folder` as the owner sees it; `head` as the hub has it."""

    def __init__(self, home: Path) -> None:
        self.home, self.folder, self.clock = home, home / "Vault", TestClock()
        self.store = GitStore(home / "repo")
        self.head: CommitId | None = None
        self.quick: Callable[[Task], str | None] = lambda _task: None
        self.secrets = OwnSecrets.of(["correct horse battery"])
        self.step: Callable[[str], None] = lambda _name: None
        self.mirror = self.start()

    def start(self) -> Mirror:
        """A new run of the program on the same state."""
        self.mirror = Mirror(
            self.folder, self.store, self.home / "state" / "mirror.sqlite", self.clock,
            quick=lambda task: self.quick(task), secrets=self.secrets, step=lambda name: self.step(name),
        )  # fmt: skip
        return self.mirror

    def restart(self) -> Mirror:
        self.mirror.close()
        return self.start()

    def commit(self, edits: Edits) -> CommitId:
        self.head = self.store.commit(self.head, edits, message="by a test", author=LOCAL, at=self.clock.now())
        return self.head

    def put(self, *tasks: Task) -> None:
        """These tasks as they stand now, on the hub."""
        edits: dict[str, bytes | None] = {}
        for task in tasks:
            where = self.at_head()
            edits |= {path: None for path in where if f"/{task.id}" in path}
            edits |= dict([notes.write(task)])
        self.commit(edits)

    def task(self, path: str = NOTE) -> Task:
        assert self.head
        return notes.read(path, self.store.read(self.head, path) or b"")

    def at_head(self) -> dict[str, bytes]:
        return {path: self.store.blob(blob) for path, blob in self.store.paths(self.head)} if self.head else {}

    def history(self) -> tuple[Commit, ...]:
        assert self.head
        return self.store.history(None, self.head)

    def look(self) -> tuple[Item, ...]:
        assert self.head
        return self.mirror.look(self.head)

    def apply(self) -> tuple[Item, ...]:
        assert self.head
        return self.mirror.apply(self.head)

    def settle(self) -> tuple[Item, ...]:
        """What is to be seen once nobody touched anything for a while."""
        self.look()
        self.tick(4)
        return self.look()

    def settle_and_apply(self) -> tuple[Item, ...]:
        self.settle()
        return self.apply()

    def tick(self, seconds: float) -> None:
        self.clock.tick(timedelta(seconds=seconds))

    def path(self, name: str) -> Path:
        return self.folder / name

    def read(self, name: str) -> bytes:
        return self.path(name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_bytes(content)

    def move(self, name: str, to: str) -> None:
        self.path(name).rename(self.path(to))

    def files(self) -> dict[str, bytes]:
        """Every file a person sees."""
        found = (path for path in self.folder.rglob("*") if path.is_file() and not path.is_symlink())
        names = ((path.relative_to(self.folder).as_posix(), path) for path in found)
        return {name: path.read_bytes() for name, path in names if not name.rpartition("/")[2].startswith(".")}

    def hidden(self) -> list[str]:
        return sorted(path.name for path in self.folder.rglob(".countersign-*"))

    def publish(self, *items: Item) -> None:
        """What Local does with what it was told."""
        for item in items:
            if isinstance(item, Edited):
                self.commit({item.path: item.content})
            elif isinstance(item, Removed):
                self.commit({item.path: None})
            elif isinstance(item, Decided):
                self._decide(item)

    def _decide(self, item: Decided) -> None:
        path = next(path for path in self.at_head() if f"/{item.task}" in path)
        task, now = self.task(path), self.clock.now()
        if item.verdict is Verdict.APPROVE:
            if item.edited:
                task = moves.edit(task, Note.parse(item.content))
            self.put(moves.approve(task, revision=task.revision))
        elif item.verdict is Verdict.REJECT:
            self.put(moves.reject(task, revision=task.revision, why=item.remark, now=now))
        elif item.verdict is Verdict.SEND_BACK:
            self.put(moves.send_back(task, remark=item.remark))
        else:
            self.put(moves.acknowledge(task, revision=task.revision, now=now))


def on_a_fast_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill, unlike a power loss, needs no disk to have been waited for."""
    saving = Base.saving
    monkeypatch.setattr(Base, "saving", lambda base, *, durable: saving(base, durable=False))
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    monkeypatch.setattr(rename, "sync_file_system", lambda _folder: None)


def without_renameat2(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that can neither exchange nor refuse to overwrite."""
    monkeypatch.setattr(rename, "_renameat2", lambda _source, _target, _flags: False)


def only(kind: type[One], items: tuple[Item, ...]) -> One:
    """The one item there is, of this kind."""
    assert len(items) == 1, items
    assert isinstance(items[0], kind), items
    return items[0]


def some(kind: type[One], items: tuple[Item, ...]) -> list[One]:
    return [item for item in items if isinstance(item, kind)]


def begun(home: Path, *tasks: Task) -> World:
    """A folder that was mirrored before: a draft, the owner's handbook, the dashboard."""
    world = World(home)
    world.commit({HANDBOOK: b"# Handbook\n\nBe kind.\n", DASHBOARD: b"# Dashboard\n"})
    world.put(*(tasks or (made.pending(),)))
    world.apply()
    return world


def edited(content: bytes) -> bytes:
    """The owner's own words in the draft."""
    assert b"yes, on Monday." in content
    return content.replace(b"yes, on Monday.", b"yes, on Tuesday.")


def note_without_action(number: int = 0) -> Task:
    return made.task(number, stage=Stage.PENDING_APPROVAL, attempt=1, revision=1)
