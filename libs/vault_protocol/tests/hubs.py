"""Two hubs and what may happen to them: a real bare repository behind git, and the hub in memory."""

import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from libs.vault_protocol.tests.made import CLOUD, LOCAL, OTHER, OWNER_KEY, VAULT

from vault_hub.agents import Standing
from vault_hub.testing import RunningHub
from vault_protocol import changeset, remote
from vault_protocol.changeset import BadChangeset, Trail
from vault_protocol.hub import Accepted, Change, CommitId, Edits, Hub, Store, blob_id
from vault_protocol.hub_client import HubClient
from vault_protocol.remote import Remote
from vault_protocol.sshsig import PublicKey
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
        message = _signed(self.store, onto, edits)
        return self.store.commit(onto, edits, message=message, author=LOCAL.agent, at=AT)

    def published(self) -> CommitId:
        """One more commit on the hub."""
        head = self.hub.refresh()
        commit = self.commit(head)
        assert self.hub.publish(commit, onto=head) == Accepted(commit)
        return commit


def _signed(store: Store, onto: CommitId | None, edits: Edits) -> str:
    """The message of Local's next changeset on this head."""
    trail = Trail()
    for commit in store.history(None, onto) if onto else ():
        parent = commit.parents[0] if commit.parents else None
        try:
            found = changeset.parse(commit.message, vault=VAULT, changes=store.changes(parent, commit.id))
        except BadChangeset:
            continue
        trail = found.trail
    changes = [
        Change(path, store.blob_id(onto, path) if onto else None, blob_id(content) if content is not None else None)
        for path, content in edits.items()
    ]
    changes = [change for change in changes if change.old != change.new]
    unsigned = changeset.next_in(trail, vault=VAULT, agent=LOCAL.agent, verb="write", attempt=0, changes=changes)
    return unsigned.message("x", LOCAL.key)


class Place(Protocol):
    """A hub, and what may happen to it."""

    def side(self) -> Side: ...

    def another(self) -> Side:
        """The side of another agent, where the hub tells them apart."""
        ...

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

    def another(self) -> Side:
        return self.side()

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

    def another(self) -> Side:
        return self.side()

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


@dataclass
class Resident:
    """A hub of the resident kind, in this process."""

    folder: Path
    sides: list[Side] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.running = RunningHub(self.folder / "hub", VAULT, PublicKey.of(OWNER_KEY), step=self._step)
        keys: dict[str, tuple[Standing, PublicKey | None]] = {
            one.agent: (Standing(one.role.value), PublicKey.of(one.key)) for one in (CLOUD, OTHER, LOCAL)
        }
        self.running.make(keys)
        self.running.start()
        self._cut = False

    def side(self, agent: str = LOCAL.agent) -> Side:
        store = GitStore(self.folder / f"clone-{len(self.sides)}.git")
        self.sides.append(Side(store, HubClient(store, self.running.url, self.running.tokens[agent], timeout=10)))
        return self.sides[-1]

    def another(self) -> Side:
        return self.side(OTHER.agent)

    def leave(self) -> None:
        self.running.stop()

    def come_back(self) -> None:
        self.running.start()

    def lose_the_next_answer(self) -> None:
        self._cut = True

    def _step(self, name: str) -> None:
        if name == "swapped" and self._cut:
            self._cut = False
            for side in self.sides:
                _hang_up(side.hub)

    def close(self) -> None:
        for side in self.sides:
            assert isinstance(side.hub, HubClient)
            side.hub.close()
        self.running.stop()


def _hang_up(hub: Hub) -> None:
    """Cut the connection a call is waiting on."""
    assert isinstance(hub, HubClient)
    line = hub._asking.line
    if line is not None and line.sock is not None:
        line.sock.shutdown(socket.SHUT_RDWR)


def on_hub(place: Place) -> list[CommitId]:
    """What somebody new sees, oldest first."""
    side = place.side()
    head = side.hub.refresh()
    return [commit.id for commit in side.store.history(None, head)] if head else []
