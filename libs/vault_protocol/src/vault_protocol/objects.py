"""The objects of a clone: those on disk, and fresh ones in memory until they are kept, many in one pack."""

from __future__ import annotations

import threading
from pathlib import Path

import pygit2

from . import disk, packs
from .deltas import Patch
from .errors import UntrustedHead
from .folders import object_id
from .hub import CommitId
from .kept import Kept

ROOM = 32 * 1024 * 1024
"""Bytes of what was read from the disk that are held in memory."""

FRESH = 16 * 1024 * 1024
"""Bytes of fresh objects from which they are kept without being asked for."""

READ = 16 * 1024 * 1024
"""Bytes read from the disk after which libgit2 lets go of what it holds besides: of each pack up to 16 MB, and a clone
has tens of packs."""

MERGED_AT = 50
"""Packs of ours that are written again as one; git need not look through hundreds."""

_KINDS = {1: "commit", 2: "tree", 3: "blob"}


class Objects:
    """One repository's objects. Safe for several threads, and for other processes on the same repository."""

    def __init__(self, repository: Path) -> None:
        self._path, self._packs = repository, repository / "objects" / "pack"
        self.repository = pygit2.Repository(str(repository))
        self._read = 0
        self._fresh: dict[str, tuple[str, bytes]] = {}
        self._patches: dict[str, Patch] = {}
        self._size = 0
        self._small: list[str] = []
        self._unsynced: list[str] = []
        self._kept: Kept[str, tuple[str, bytes]] = Kept(ROOM)
        self._lock = threading.RLock()

    def add(self, kind: str, raw: bytes, patch: Patch | None = None) -> str:
        """The name of an object that can be read from now on; others see it after `keep`."""
        oid = object_id(kind, raw)
        if oid in self._fresh or oid in self._kept:
            return oid
        with self._lock:
            self._fresh[oid] = (kind, raw)
            if patch is not None:
                self._patches[oid] = patch
            self._size += len(raw)
            if self._size > FRESH:
                self.keep()
        return oid

    def read(self, oid: str, *, most: int | None = None) -> tuple[str, bytes]:
        """Kind and bytes. Raises UntrustedHead when it is not there, broken, or has more than `most` bytes: a pack of
        some kilobytes can hold one of gigabytes."""
        found = self._fresh.get(oid) or self._kept.get(oid)
        if found is None:
            if most is not None and (size := self.header(oid)[1]) > most:
                raise UntrustedHead(CommitId(oid), f"it has {size} bytes; one of its kind has {most} at most")
            found = self._from_disk(oid)
            self._kept.put(oid, found, len(found[1]))
        return found

    def header(self, oid: str) -> tuple[str, int]:
        """Kind and size, without reading it from the disk. Raises UntrustedHead when it is not there."""
        found = self._fresh.get(oid) or self._kept.get(oid)
        if found is not None:
            return found[0], len(found[1])
        try:
            kind, size = self.repository.odb.read_header(pygit2.Oid(hex=oid))
        except (KeyError, ValueError, pygit2.GitError):
            raise UntrustedHead(CommitId(oid), "its objects are not here, or broken") from None
        return _KINDS.get(int(kind), ""), int(size)

    def has(self, oid: str) -> bool:
        return oid in self._fresh or oid in self._kept or pygit2.Oid(hex=oid) in self.repository

    def keep(self, *, durable: bool = False) -> None:
        """Put the fresh objects on disk, where git, other processes and a restart find them; `durable`: a power loss
        too. Raises DiskTrouble; then they are still fresh."""
        with self._lock, disk.watched(self._path):
            if self._fresh:
                self._write()
            if durable and self._unsynced:
                packs.sync(self._packs, self._unsynced)
                self._unsynced = []

    def _write(self) -> None:
        self._packs.mkdir(exist_ok=True)
        name = packs.write(self._packs, packs.entries(self._fresh, self._patches), durable=False)
        for oid, found in self._fresh.items():
            self._kept.put(oid, found, len(found[1]))
        self._fresh, self._patches, self._size = {}, {}, 0
        self._small.append(name)
        self._unsynced.append(name)
        if len(self._small) >= MERGED_AT:
            self._merge()

    def _merge(self) -> None:
        """The small packs as one. A kill leaves some objects twice, which is no harm."""
        small = self._small
        try:
            entries = [entry for name in small for entry in packs.read(self._packs, name)]
        except FileNotFoundError:  # git has repacked them
            self._small = []
            return
        merged = packs.write(self._packs, entries)
        self._small, self._unsynced = [], [name for name in self._unsynced if name not in small]
        packs.remove(self._packs, (name for name in small if name != merged))

    def _from_disk(self, oid: str) -> tuple[str, bytes]:
        for again in (False, True):
            try:
                if again or self._read > READ:  # packs may have been merged or repacked meanwhile
                    self.repository.free()
                    self._read = 0
                kind, raw = self.repository.odb.read(pygit2.Oid(hex=oid))
                self._read += len(raw)
                return _KINDS[int(kind)], bytes(raw)
            except (KeyError, ValueError, pygit2.GitError):
                continue
        raise UntrustedHead(CommitId(oid), "its objects are not here, or broken")
