"""Commits read back from the disk for whoever is far behind: once for all who ask, and never for long at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from vault_protocol import wire
from vault_protocol.hub import CommitId
from vault_protocol.kept import Kept
from vault_protocol.store import GitStore
from vault_protocol.wire import Parcel

PAGE_BYTES = 8 * 1024 * 1024
"""Bytes that one answer to somebody behind holds at most, beside a single commit that is larger."""

PAGE_SECONDS = 1.0
"""Seconds after which an answer goes out with what was read by then. A commit of a large vault takes a tenth of one."""

KEPT_BYTES = 32 * 1024 * 1024
"""Bytes of what was read that are kept for the next who asks for the same; who began together goes on together."""


@dataclass(frozen=True)
class Said:
    """One commit of the line as it goes over the wire; `message` holds its signature, so it tells changesets apart."""

    id: CommitId
    parent: CommitId | None
    message: str
    json: bytes


class Reader:
    """Safe for several threads. One of them reads at a time: several at once would only slow down each other, and
    the arbiter."""

    def __init__(self, repository: Path, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._repository, self._monotonic = repository, monotonic
        self._reading = threading.Lock()
        self._kept: Kept[CommitId, Said] = Kept(KEPT_BYTES)

    def read(self, before: CommitId | None, line: Sequence[CommitId]) -> tuple[Said, ...]:
        """These commits, each the child of the one before it: at least the first, and then as many as were read before,
        or as there is time for. `before` is the parent of the first. Raises UntrustedHead when an object is not there.
        """
        found = self._read_before(line)
        if found:
            return found
        with self._reading:
            return self._read_before(line) or self._from_disk(before, line)

    def _read_before(self, line: Sequence[CommitId]) -> tuple[Said, ...]:
        """As far as it is at hand: whoever waited for another's reading goes out with what that one found."""
        found: list[Said] = []
        size = 0
        for one in line:
            known = self._kept.get(one)
            size += len(known.json) if known is not None else 0
            if known is None or (found and size > PAGE_BYTES):
                break
            found.append(known)
        return tuple(found)

    def _from_disk(self, parent: CommitId | None, line: Sequence[CommitId]) -> tuple[Said, ...]:
        began = self._monotonic()
        found: list[Said] = []
        size = 0
        with closing(GitStore(self._repository)) as store:  # opened anew: packs come and go
            for one in line:
                if found and self._monotonic() - began >= PAGE_SECONDS:
                    break
                said = read(store, parent, one)
                self._kept.put(one, said, len(said.json))
                size += len(said.json)
                if found and size > PAGE_BYTES:
                    break
                found.append(said)
                parent = one
        return tuple(found)


def read(store: GitStore, parent: CommitId | None, one: CommitId) -> Said:
    """Raises UntrustedHead."""
    (commit,) = store.history(parent, one)
    return said(wire.parcel(store, commit))


def said(parcel: Parcel) -> Said:
    return Said(parcel.id, parcel.parent, parcel.message, wire.dumped(wire.packed(parcel)))
