"""What the protocol needs of a store of commits and of a hub that decides which one is the head."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType, Protocol, TypeAlias, runtime_checkable

from .task import AgentId, Domain

CommitId = NewType("CommitId", str)
BlobId = NewType("BlobId", str)

Edits: TypeAlias = Mapping[str, bytes | None]
"""Path → its new bytes, None to take it out. Paths are `/`-separated, UTF-8, without a leading slash."""

REGULAR = 0o100644


@dataclass(frozen=True)
class Change:
    """One path between a commit and the next. `old` or `new` is None when it was not, or is no more, there."""

    path: str
    old: BlobId | None
    new: BlobId | None
    mode: int = REGULAR


@dataclass(frozen=True)
class Commit:
    """A commit without its tree. `parents` has one entry in a healthy vault, none for the root."""

    id: CommitId
    parents: tuple[CommitId, ...]
    message: str
    author: str
    at: datetime


@dataclass(frozen=True)
class Accepted:
    """The hub's head is, or already grew past, our commit. `commit` is what it is called there: a hub that put it on a
    newer head gave it another name."""

    head: CommitId
    commit: CommitId | None = field(default=None, compare=False)


@dataclass(frozen=True)
class MovedOn:
    """Somebody else was first: drop the commit, look at this head, decide again."""

    head: CommitId | None


@dataclass(frozen=True)
class Broken:
    """No answer, or one that cannot be trusted: the outcome is unknown until somebody looks."""

    reason: str


@dataclass(frozen=True)
class Rejected:
    """The hub's policy said no, and will say so again: which rule, where and why. Nothing was written."""

    rule: str
    path: str
    reason: str


@dataclass(frozen=True)
class Reserved:
    """Waiting tasks for one agent to claim, by their paths at `head`. It is advice about order: nothing is owned by it,
    and each of them may be gone when it is claimed.

    `seconds`: for how long the hub names them to nobody else. `set_aside`: whether this hub does so at all; a plain
    remote names some by chance.
    """

    head: CommitId | None
    paths: tuple[str, ...] = ()
    seconds: float = 0.0
    set_aside: bool = False


Published: TypeAlias = Accepted | MovedOn | Broken | Rejected


class Store(Protocol):
    """Commits and their trees, on this machine. Every write is an object; nothing here moves a head."""

    def read(self, commit: CommitId, path: str) -> bytes | None: ...

    def blob(self, blob: BlobId) -> bytes: ...

    def blob_id(self, commit: CommitId, path: str) -> BlobId | None: ...

    def paths(self, commit: CommitId, folder: str = "") -> Iterator[tuple[str, BlobId]]:
        """Every file below the folder with its blob, depth first, by name; nothing when it is not there."""
        ...

    def names(self, commit: CommitId, folder: str) -> tuple[str, ...]:
        """What lies in the folder itself, each folder with `/` behind its name; nothing when it is not there."""
        ...

    def changes(self, old: CommitId | None, new: CommitId) -> tuple[Change, ...]:
        """What differs between two trees, by path."""
        ...

    def history(self, old: CommitId | None, new: CommitId) -> tuple[Commit, ...]:
        """The commits after `old` up to `new`, oldest first, the whole line without `old`. Raises HubRewritten unless
        `new` descends from `old`, UntrustedHead for a merge."""
        ...

    def commit(self, parent: CommitId | None, edits: Edits, *, message: str, author: AgentId, at: datetime) -> CommitId:
        """A new commit on `parent`; no ref points to it yet."""
        ...

    def tree(self, commit: CommitId) -> str:
        """The name git gives its tree."""
        ...

    def root(self, like: CommitId, *, message: str, author: AgentId, at: datetime) -> CommitId:
        """A new commit without a parent, with the tree of `like`."""
        ...

    def keep(self, *, durable: bool = False) -> None:
        """What was written so far is there for other processes and after a restart; `durable`: after a power loss."""
        ...


class Hub(Protocol):
    """The only truth about the head. Contract: publish is a compare-and-swap, and its answers do not lie."""

    def refresh(self) -> CommitId | None:
        """The hub's head, with its objects in the store; None while it is empty. Raises HubUnreachable."""
        ...

    def publish(self, commit: CommitId, *, onto: CommitId | None, exact: bool = False) -> Published:
        """Make `commit` the head if the head is `onto`. Never raises for an unreachable hub: that is Broken.

        A resident hub also takes it when every path it changes is still as it was in `onto`, and puts it on the head;
        `exact` forbids that, for what depends on the whole tree.
        """
        ...

    def reserve(self, domains: Iterable[Domain], count: int) -> Reserved:
        """Any waiting tasks of these domains, at most `count`, with the objects of `head` in the store. Nothing is
        written. Raises HubUnreachable, UntrustedHead."""
        ...

    def wait(self, seconds: float) -> bool:
        """Return when the head may have moved, or after so many seconds. False: it did not, or we would have heard."""
        ...

    def close(self) -> None:
        """Let go of what was opened for it, and end a `wait` that has to do with it."""
        ...


@runtime_checkable
class Rootable(Protocol):
    """A hub whose line can be begun anew. Only a root that `reroot.verify` takes is ever put there."""

    def replace(self, root: CommitId, *, seen: CommitId | None) -> Published:
        """Make `root`, which has no parent, the head if the head is `seen`. Broken says what an operator has to do."""
        ...


class Judge(Protocol):
    """Whoever looks at what a hub shows before more of it is taken."""

    def admit(self, commit: Commit, edits: Edits) -> None:
        """Asked before a commit is made in the store, where its parent is. Raises UntrustedHead for one that shall not
        even lie there."""
        ...

    def page(self, head: CommitId) -> None:
        """Told how far a page led that is in the store. Raises UntrustedHead: then no further one is asked for."""
        ...


@runtime_checkable
class Judged(Protocol):
    """A hub that shows what is new page by page, and may go on for ever."""

    def judged(self, judge: Judge) -> AbstractContextManager[None]:
        """Inside it, every page is judged before the next is asked for."""
        ...


def changed(edits: Edits, blob_at: Callable[[str], BlobId | None]) -> list[Change]:
    """What these edits change, where `blob_at` knows what stands at a path."""
    found = []
    for path, content in edits.items():
        old, new = blob_at(path), blob_id(content) if content is not None else None
        if old != new:
            found.append(Change(path, old, new))
    return found


def blob_id(content: bytes) -> BlobId:
    """The name git gives these bytes (SHA-1 object format)."""
    return BlobId(hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest())
