"""The line of commits as it grows: the latest ones kept ready to be sent to whoever is behind."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vault_protocol import wire
from vault_protocol.errors import UntrustedHead
from vault_protocol.hub import CommitId
from vault_protocol.store import GitStore
from vault_protocol.wire import Parcel

KEPT = 4096
KEPT_BYTES = 32 * 1024 * 1024

PAGE = 256
PAGE_BYTES = 8 * 1024 * 1024
"""What one answer to somebody behind holds at most, beside a single commit that is larger."""


@dataclass(frozen=True)
class Said:
    """One commit of the line as it goes over the wire; `message` holds its signature, so it tells changesets apart."""

    id: CommitId
    parent: CommitId | None
    message: str
    json: bytes


@dataclass(frozen=True)
class Page:
    """The commits after one that was named, up to `head` unless there are `more`. `known`: whether that one was."""

    head: CommitId | None
    commits: tuple[Said, ...]
    more: bool = False
    known: bool = True


class Line:
    """What every thread of the hub may ask. Only the arbiter adds to it."""

    def __init__(self, repository: Path, head: CommitId | None) -> None:
        self._repository, self.head = repository, head
        self._lock = threading.Lock()
        self._late: deque[Said] = deque()
        self._bytes = 0
        self._at: dict[CommitId, int] = {}
        self._dropped = 0

    def grow(self, commits: Sequence[Said]) -> None:
        with self._lock:
            for said in commits:
                self._at[said.id] = self._dropped + len(self._late)
                self._late.append(said)
                self._bytes += len(said.json)
                self.head = said.id
            while len(self._late) > KEPT or (self._bytes > KEPT_BYTES and len(self._late) > 1):
                gone = self._late.popleft()
                self._bytes -= len(gone.json)
                self._dropped += 1
                del self._at[gone.id]

    def restart(self, head: CommitId) -> None:
        """Begin anew at a head that does not descend from the last one."""
        with self._lock:
            self._late.clear()
            self._at.clear()
            self._bytes, self._dropped, self.head = 0, 0, head

    def since(self, have: Sequence[CommitId]) -> Page:
        """What comes after the first of these that is on the line; from the beginning when none is."""
        with self._lock:
            for one in have:
                if one == self.head:
                    return Page(self.head, ())
                found = self._after(one)
                if found is not None:
                    return _paged(self.head, found)
            head = self.head
        return self._from_disk(head, have)

    def late(self, onto: CommitId | None) -> tuple[Said, ...] | None:
        """The commits after this one, when all of them are at hand."""
        with self._lock:
            return () if onto == self.head else self._after(onto)

    def _after(self, one: CommitId | None) -> tuple[Said, ...] | None:
        if one is None:
            whole = self._late and self._late[0].parent is None
            return tuple(self._late) if whole else None
        at = self._at.get(one)
        if at is not None:
            return tuple(self._late[index] for index in range(at + 1 - self._dropped, len(self._late)))
        return tuple(self._late) if self._late and self._late[0].parent == one else None

    def _from_disk(self, head: CommitId | None, have: Sequence[CommitId]) -> Page:
        if head is None:
            return Page(None, (), known=not have)
        store = GitStore(self._repository)
        for one in (*have, None):
            try:
                commits = store.history(one, head)
            except UntrustedHead:
                if one is None:
                    raise
                continue
            found: list[Said] = []
            size = 0
            for commit in commits:
                parcel = wire.parcel(store, commit)
                size += parcel.size
                if found and (len(found) >= PAGE or size > PAGE_BYTES):
                    return Page(head, tuple(found), more=True, known=one is not None or not have)
                found.append(said(parcel))
            return Page(head, tuple(found), known=one is not None or not have)
        raise AssertionError("None always has a history")


def said(parcel: Parcel) -> Said:
    return Said(parcel.id, parcel.parent, parcel.message, wire.dumped(wire.packed(parcel)))


def _paged(head: CommitId | None, commits: tuple[Said, ...]) -> Page:
    size = 0
    for number, one in enumerate(commits):
        size += len(one.json)
        if number and (number >= PAGE or size > PAGE_BYTES):
            return Page(head, commits[:number], more=True)
    return Page(head, commits)
