"""Looking at the folder against the base: what is other than the mirror left it, and since when it has been still."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from vault_protocol.clock import Clock
from vault_protocol.mirror import names
from vault_protocol.mirror.base import Base, Stamp
from vault_protocol.mirror.place import Blocked, Folder, Found, Kind
from vault_protocol.note import LIMIT

READ = 64 * 1024 * 1024
"""Bytes above which a file is not even read."""

_RIPE = 2_000_000_000
"""Nanoseconds after which a file system certainly gives another change another time."""

_BLOCKED = Found(Kind.LINK, (0, 0, 0, 0))
"""What a path below a link, or below a file, is."""


@dataclass(frozen=True)
class Seen:
    """A path that is not as the mirror left it. `found` is None when the file is gone."""

    found: Found | None
    since: float
    """When this was first seen, by the monotonic clock."""
    ripe: bool = False
    """Whether an equal stamp proves equal bytes."""


class Looker:
    """Remembers what differs, so that a look costs what changed."""

    def __init__(self, folder: Folder, base: Base, clock: Clock) -> None:
        self._folder, self._base, self._clock = folder, base, clock
        self._open: dict[str, Seen] = {}

    @property
    def seen(self) -> Mapping[str, Seen]:
        """Path → what differs from the base there."""
        return MappingProxyType(self._open)

    def look(self, paths: Iterable[str] | None) -> None:
        """Look at these paths and at all that differed before; None: at everything."""
        if paths is None:
            wanted = set(self._walk()) | self._base.records.keys() | self._open.keys()
        else:
            wanted = {path for path in paths if not names.is_ignored(path)} | self._open.keys()
        now, unchanged = self._clock.monotonic(), dict[str, Stamp]()
        for path in wanted:
            stamp = self._look_at(path, now, trusting=paths is None)
            if stamp:
                unchanged[path] = stamp
        if unchanged:
            with self._base.saving(durable=False):
                for path, stamp in unchanged.items():
                    self._base.stamp(path, stamp)

    def _look_at(self, path: str, now: float, *, trusting: bool) -> Stamp | None:
        """A stamp by which the next full look will know this file again."""
        record, before = self._base.records.get(path), self._open.get(path)
        found, read = self._status(path), False
        if record and trusting and found and found.stamp == record.stamp:
            self._open.pop(path, None)
            return None
        if before and before.ripe and found and before.found and found.stamp == before.found.stamp:
            found = before.found
        elif found and found.kind is Kind.FILE and self._is_read(path, found):
            found, read = self._read(path), True
        ripe = found is not None and time.time_ns() - max(found.stamp[:2]) > _RIPE
        if (found and found.digest) == (record and record.digest) and (found is None) == (record is None):
            self._open.pop(path, None)
            return found.stamp if found and read and ripe else None
        same = before is not None and before.found == found
        self._open[path] = Seen(found, before.since if same and before else now, ripe)
        return None

    def _status(self, path: str) -> Found | None:
        try:
            return self._folder.look(path)
        except Blocked:
            return _BLOCKED

    def _is_read(self, path: str, found: Found) -> bool:
        return found.stamp[2] <= READ and (names.in_inbox(path) or names.fault(path) is None)

    def _read(self, path: str) -> Found | None:
        """Its bytes too, when they may become part of a note."""
        try:
            found = self._folder.read(path, READ)
        except Blocked:
            return _BLOCKED
        if found and (names.in_inbox(path) or found.stamp[2] > LIMIT):
            return replace(found, content=None)
        return found

    def _walk(self) -> Iterator[str]:
        root = os.fspath(self._folder.root)
        for at, folders, files in os.walk(root):
            above = at[len(root) + 1 :] + "/" if len(at) > len(root) else ""
            links = [name for name in folders if (self._folder.root / above / name).is_symlink()]
            folders[:] = [name for name in folders if not names.is_ignored(f"{above}{name}/-")]
            yield from (above + name for name in (*files, *links) if not names.is_ignored(above + name))
