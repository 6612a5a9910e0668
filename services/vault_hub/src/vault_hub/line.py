"""The line of commits as it grows: the latest kept ready to be sent to whoever is behind, the others by name."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from time import monotonic

from vault_hub import objects
from vault_hub.reading import PAGE_BYTES, Reader, Said, read
from vault_protocol.hub import CommitId
from vault_protocol.store import GitStore

KEPT = 4096
KEPT_BYTES = 32 * 1024 * 1024

READY_AT_START, READY_SECONDS = 128, 5.0
"""Commits read at the start, and for how long at most, so that a publish whose answer was lost is known again after a
restart. Who sent an older one sees for itself that it is on the line."""

PAGE = 256
"""Commits that one answer to somebody behind holds at most."""

_NAME = 20
"""Bytes of a commit's name."""


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
        self._repository, self.head, self._disk = repository, head, Reader(repository)
        self._lock, self._reading = threading.RLock(), threading.Lock()
        self._late: deque[Said] = deque()
        self._bytes = 0
        self._at: dict[CommitId, int] = {}
        self._by_message: dict[str, Said] = {}
        self._gone = bytearray()
        """Names of the commits that were ready and are no more."""
        self._older: bytearray | None = None
        """Names of those before them, once somebody asked."""
        self._first: CommitId | None = None
        """Up to where those go."""
        self._beginning = 0
        """Counts how often the line began anew."""
        if head is not None:
            self._begin(_latest(repository, head))

    def grow(self, commits: Sequence[Said]) -> None:
        with self._lock:
            for said in commits:
                self._at[said.id] = self._dropped + len(self._late)
                self._by_message[said.message] = said
                self._late.append(said)
                self._bytes += len(said.json)
                self.head = said.id
            while len(self._late) > KEPT or (self._bytes > KEPT_BYTES and len(self._late) > 1):
                gone = self._late.popleft()
                self._bytes -= len(gone.json)
                self._gone += bytes.fromhex(gone.id)
                del self._at[gone.id]
                self._by_message.pop(gone.message, None)

    def restart(self, head: CommitId) -> None:
        """Begin anew at a head that does not descend from the last one."""
        latest = _latest(self._repository, head)
        with self._lock:
            self._late.clear()
            self._at.clear()
            self._by_message.clear()
            self._gone, self._older, self._bytes, self.head = bytearray(), None, 0, head
            self._beginning += 1
            self._begin(latest)

    def since(self, have: Sequence[CommitId]) -> Page:
        """What comes after the first of these that is on the line; from the beginning when none is."""
        return self.at_hand(have) or self._from_disk(self.head, have)

    def at_hand(self, have: Sequence[CommitId]) -> Page | None:
        """What `since` says, when nothing has to be read for it."""
        with self._lock:
            for one in have:
                if one == self.head:
                    return Page(self.head, ())
                found = self._after(one)
                if found is not None:
                    return _paged(self.head, found)
        return None

    def late(self, onto: CommitId | None) -> Page | None:
        """What comes after this one, when all of it is at hand."""
        with self._lock:
            found = () if onto == self.head else self._after(onto)
            return _paged(self.head, found) if found is not None else None

    def saying(self, message: str) -> Said | None:
        """The late commit with this message, if there is one."""
        with self._lock:
            return self._by_message.get(message)

    def _begin(self, latest: Sequence[Said]) -> None:
        self._first = latest[0].parent
        self.grow(latest)

    @property
    def _dropped(self) -> int:
        return len(self._gone) // _NAME

    def _after(self, one: CommitId | None) -> tuple[Said, ...] | None:
        if one is None:
            whole = self._late and self._late[0].parent is None
            return tuple(self._late) if whole else None
        at = self._at.get(one)
        if at is not None:
            return tuple(islice(self._late, at + 1 - self._dropped, None))
        return tuple(self._late) if self._late and self._late[0].parent == one else None

    def _from_disk(self, head: CommitId | None, have: Sequence[CommitId]) -> Page:
        if head is None:
            return Page(None, (), known=not have)
        names = self._names()
        places = (_place(names, one) for one in have)
        found = next((place for place in places if place is not None), None)
        return self._read(names, 0 if found is None else found + 1, known=found is not None or not have)

    def _names(self) -> bytearray:
        """Every commit up to the head by name. Reads the line once, and never again."""
        with self._reading:
            while True:
                with self._lock:
                    if self._older is not None:
                        return self._older + self._gone + b"".join(bytes.fromhex(said.id) for said in self._late)
                    beginning, first = self._beginning, self._first
                older = objects.ids(self._repository, first)
                with self._lock:
                    if self._beginning == beginning:  # else the line began anew while it was read
                        self._older = older

    def _read(self, names: bytearray, begin: int, *, known: bool) -> Page:
        head = CommitId(names[-_NAME:].hex())
        line = [CommitId(names[at : at + _NAME].hex()) for at in range(begin * _NAME, len(names), _NAME)[:PAGE]]
        before = CommitId(names[(begin - 1) * _NAME : begin * _NAME].hex()) if begin else None
        found = self._disk.read(before, line)
        return Page(head, found, more=bool(line) and found[-1].id != head, known=known)


def _latest(repository: Path, head: CommitId) -> list[Said]:
    """The last commits up to the head, oldest first."""
    names = objects.ids(repository, head, READY_AT_START + 1)
    found = [CommitId(names[at : at + _NAME].hex()) for at in range(0, len(names), _NAME)]
    parents: list[CommitId | None] = [None, *found]
    ready: list[Said] = []
    began = monotonic()
    with closing(GitStore(repository)) as store:
        for parent, one in reversed(list(zip(parents, found, strict=False))[-READY_AT_START:]):
            ready.append(read(store, parent, one))
            if monotonic() - began >= READY_SECONDS:
                break
    return ready[::-1]


def _place(names: bytearray, one: CommitId) -> int | None:
    """Which one it is, counted from the first."""
    name, at = bytes.fromhex(one), -1
    while (at := names.find(name, at + 1)) >= 0:
        if at % _NAME == 0:
            return at // _NAME
    return None


def _paged(head: CommitId | None, commits: tuple[Said, ...]) -> Page:
    size = 0
    for number, one in enumerate(commits):
        size += len(one.json)
        if number and (number >= PAGE or size > PAGE_BYTES):
            return Page(head, commits[:number], more=True)
    return Page(head, commits)
