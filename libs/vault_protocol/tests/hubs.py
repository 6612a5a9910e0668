"""Two hubs and what may happen to them: a real bare repository behind git, and the hub in memory."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from libs.vault_protocol.tests.made import CLOUD

from vault_protocol import remote
from vault_protocol.hub import Accepted, CommitId, Edits, Hub, Store
from vault_protocol.remote import Remote
from vault_protocol.store import GitStore
from vault_protocol.testing import MemoryHub, MemoryStore

AT = datetime(2026, 11, 23, tzinfo=UTC)


@dataclass
class Side:
    """One machine's clone and its way to the hub."""

    store: Store
    hub: Hub
    written: int = 0

    def commit(self, onto: CommitId | None, edits: Edits | None = None) -> CommitId:
        self.written += 1
        edits = edits or {f"{id(self)}/{self.written}.md": b"x"}
        return self.store.commit(onto, edits, message="write: x", author=CLOUD.agent, at=AT)

    def published(self) -> CommitId:
        """One more commit on the hub."""
        head = self.hub.refresh()
        commit = self.commit(head)
        assert self.hub.publish(commit, onto=head) == Accepted(commit)
        return commit


class Place(Protocol):
    """A hub, and what may happen to it."""

    def side(self) -> Side: ...

    def leave(self) -> None:
        """From now on it does not answer."""

    def come_back(self) -> None: ...

    def lose_the_next_answer(self) -> None:
        """It takes the next publish, and the line is cut before it says so."""


class InMemory:
    def __init__(self) -> None:
        self.store = MemoryStore()
        self.hub = MemoryHub(self.store)

    def side(self) -> Side:
        return Side(self.store, self.hub)

    def leave(self) -> None:
        self.hub.away = True

    def come_back(self) -> None:
        self.hub.away = False

    def lose_the_next_answer(self) -> None:
        self.hub.lose_answers = 1


@dataclass
class OnDisk:
    folder: Path
    sides: list[Side] = field(default_factory=list)

    def __post_init__(self) -> None:
        remote.create(self.bare)

    @property
    def bare(self) -> Path:
        return self.folder / "hub.git"

    def side(self, timeout: float = 60.0) -> Side:
        store = GitStore(self.folder / f"clone-{len(self.sides)}.git")
        self.sides.append(Side(store, Remote(store, str(self.bare), timeout=timeout)))
        return self.sides[-1]

    def leave(self) -> None:
        self.bare.rename(self.folder / "away.git")

    def come_back(self) -> None:
        (self.folder / "away.git").rename(self.bare)

    def hook(self, name: str, script: str) -> None:
        """A hook of the bare repository that runs once."""
        path = self.bare / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'#!/bin/sh\nrm "$0"\n{script}\n')
        path.chmod(0o755)

    def lose_the_next_answer(self) -> None:
        self.hook("post-receive", "kill -9 $PPID")


def on_hub(place: Place) -> list[CommitId]:
    """What somebody new sees, oldest first."""
    side = place.side()
    head = side.hub.refresh()
    return [commit.id for commit in side.store.history(None, head)] if head else []
