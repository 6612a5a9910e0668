"""The repository's objects: those on disk, and the fresh ones of the group that is being put together."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pygit2

from vault_protocol import packs
from vault_protocol.deltas import Patch
from vault_protocol.errors import UntrustedHead, VaultError
from vault_protocol.files import sync_folder
from vault_protocol.folders import Folders, object_id
from vault_protocol.hub import BlobId, CommitId, Edits
from vault_protocol.kept import Kept
from vault_protocol.objects import READ
from vault_protocol.packs import Entry
from vault_protocol.store import nested
from vault_protocol.task import AgentId

HEAD = "refs/heads/main"
LOCK, LOCK_BYTES = "main.lock", 41

ROOM = 64 * 1024 * 1024
"""Bytes of objects kept in memory after they were written or read; what was written last is read next."""

MERGED_AT = 64
"""Small packs that are written again as one; git need not look through hundreds."""

MERGED_BYTES = 32 * 1024 * 1024

LOCK_PATIENCE = 2.0
"""Seconds somebody else's lock on the head is waited for. git holds one for milliseconds; an older one is nobody's."""


class Objects:
    """Reads, builds and writes objects, and swaps the head. One thread; nobody else writes to this repository."""

    def __init__(self, path: Path, step: Callable[[str], None] = lambda name: None) -> None:
        self.path, self._step = path, step
        self._repo, self._read = pygit2.Repository(str(path)), 0
        self._packs = path / "objects" / "pack"
        self._packs.mkdir(exist_ok=True)
        self._heads = path / "refs" / "heads"
        self._main, self._lock = self._heads / "main", self._heads / LOCK
        self._locked: tuple[CommitId, int] | None = None
        """What the lock on the head holds, and the open file."""
        self._fresh: dict[str, tuple[str, bytes]] = {}
        self._patches: dict[str, Patch] = {}
        self._kept: Kept[str, bytes] = Kept(ROOM)
        self._small: list[tuple[str, tuple[Entry, ...]]] = []
        self._small_bytes = 0
        self.folders = Folders(self.raw, self.add)

    def add(self, kind: str, raw: bytes, patch: Patch | None = None) -> str:
        """A fresh object; it is on disk after `write`."""
        oid = object_id(kind, raw)
        if oid not in self._kept:
            self._fresh[oid] = (kind, raw)
            if patch is not None:
                self._patches[oid] = patch
        return oid

    def raw(self, oid: str) -> bytes:
        """An object's bytes. Raises UntrustedHead when it is not there, or broken."""
        fresh = self._fresh.get(oid)
        if fresh is not None:
            return fresh[1]
        kept = self._kept.get(oid)
        if kept is not None:
            return kept
        raw = self._from_disk(oid)
        self._keep(oid, raw)
        return raw

    def has(self, oid: str) -> bool:
        if oid in self._fresh or oid in self._kept:
            return True
        try:
            self.raw(oid)
        except UntrustedHead:
            return False
        return True

    def tree_of(self, commit: CommitId | None) -> str | None:
        return self.raw(commit)[5:45].decode("ascii") if commit else None

    def commit(self, parent: CommitId | None, edits: Edits, *, message: str, author: AgentId, at: datetime) -> CommitId:
        """The same commit that a store makes of the same arguments. Raises Refused for a path below a file."""
        blobs: dict[str, object] = {
            path: self.add("blob", content) if content is not None else None for path, content in edits.items()
        }
        tree = self.folders.edit(self.tree_of(parent), nested(blobs)) or self.add("tree", b"")
        return self._commit(tree, parent, message, author, at)

    def root(self, tree: str, *, message: str, author: AgentId, at: datetime) -> CommitId:
        """The same commit without a parent that a store makes with this tree."""
        return self._commit(tree, None, message, author, at)

    def _commit(self, tree: str, parent: CommitId | None, message: str, author: AgentId, at: datetime) -> CommitId:
        who = f"{author} <{author}@countersign.invalid> {int(at.timestamp())} +0000"
        lines = [f"tree {tree}", *([f"parent {parent}"] if parent else []), f"author {who}", f"committer {who}"]
        return CommitId(self.add("commit", ("\n".join(lines) + f"\n\n{message}").encode("utf-8")))

    def blob_at(self, commit: CommitId | None, path: str) -> BlobId | None:
        return self.folders.find(self.tree_of(commit), path)

    def read(self, commit: CommitId | None, path: str) -> bytes | None:
        blob = self.blob_at(commit, path)
        return self.raw(blob) if blob else None

    def write(self, head: CommitId | None = None) -> None:
        """Put the fresh objects on disk, durably. Raises OSError; then they are still fresh.

        `head`: what `swap` will be asked for next; its file is synced at the same time, and gets its name there.
        """
        entries = tuple(packs.entries(self._fresh, self._patches))
        if head is not None:
            self._take_lock(head)
        try:
            name = packs.write(self._packs, entries, self._step, along=self._locked[1:] if self._locked else ())
        except BaseException:
            self._leave_lock()
            raise
        for oid, (_, raw) in self._fresh.items():
            self._keep(oid, raw)
        self._fresh, self._patches = {}, {}
        self._small.append((name, entries))
        self._small_bytes += sum(len(entry.packed) for entry in entries)

    def _take_lock(self, head: CommitId) -> int:
        """The lock on the head, with this in it, open. Raises OSError."""
        try:
            handle = _locked(self._lock)
        except FileNotFoundError:  # git takes empty folders away
            self._heads.mkdir(parents=True, exist_ok=True)
            handle = _locked(self._lock)
        self._locked = (head, handle)
        try:
            if os.write(handle, f"{head}\n".encode("ascii")) != LOCK_BYTES:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._lock))
        except BaseException:
            self._leave_lock()
            raise
        return handle

    def _leave_lock(self, *, there: bool = True) -> None:
        """Close it. `there`: and take it away."""
        if self._locked is not None:
            os.close(self._locked[1])
            self._locked = None
            if there:
                self._lock.unlink(missing_ok=True)

    def drop(self) -> None:
        """Forget the fresh objects."""
        self._leave_lock()
        self._fresh, self._patches = {}, {}

    def forget(self) -> None:
        """What was read and written before, as after a restart: a line that began anew leaves things behind, and what
        the owner then has git prune must not be taken for something that is on the disk."""
        self._kept.clear()
        self.folders = Folders(self.raw, self.add)

    def marks(self) -> tuple[str, ...]:
        """What is fresh now; `drop_after` forgets what came later."""
        return tuple(self._fresh)

    def drop_after(self, marks: tuple[str, ...]) -> None:
        self._fresh = {oid: self._fresh[oid] for oid in marks}
        self._patches = {oid: patch for oid, patch in self._patches.items() if oid in self._fresh}

    def head(self) -> CommitId | None:
        """The head as the repository has it."""
        found = self._repo.references.get(HEAD)
        return CommitId(str(found.target)) if found is not None else None

    def swap(self, new: CommitId, old: CommitId | None) -> None:
        """Make it the head in the place of `old`: on disk, with its folder, when this returns.

        Raises OSError: look before going on. Raises VaultError when the head is not `old`: somebody else wrote here.
        """
        try:
            if self._locked is None or self._locked[0] != new:
                self._leave_lock()
                os.fsync(self._take_lock(new))
            if self.head() != old:
                raise VaultError(f"{self.path}: another program moved the head; start the hub again to judge it")
            self._step("before swap")
            os.rename(self._lock, self._main)
        except BaseException:
            self._leave_lock()
            raise
        self._leave_lock(there=False)
        self._step("swapped, not synced")
        sync_folder(self._heads)
        self._step("swapped")

    def merge_small(self) -> None:
        """Write the small packs of late as one, and take them away. Raises OSError; nothing is lost then."""
        self._step("merging")
        names = [name for name, _ in self._small]
        merged = packs.write(self._packs, [entry for _, entries in self._small for entry in entries])
        self._small, self._small_bytes = [], 0
        self._step("merged, not cleared")
        for name in names:
            if name != merged:
                for suffix in (".idx", ".pack"):  # without its index a pack is nothing to git
                    (self._packs / (name + suffix)).unlink(missing_ok=True)
                    self._step("one file cleared")

    @property
    def wants_merge(self) -> bool:
        return len(self._small) >= MERGED_AT or (self._small_bytes > MERGED_BYTES and len(self._small) > 1)

    @property
    def must_merge(self) -> bool:
        """Whether it can wait no longer, however many publishes do."""
        return len(self._small) >= 4 * MERGED_AT or self._small_bytes > 4 * MERGED_BYTES

    def _keep(self, oid: str, raw: bytes) -> None:
        self._kept.put(oid, raw, len(raw))

    def _from_disk(self, oid: str) -> bytes:
        for again in (False, True):
            try:
                if again or self._read > READ:  # packs may have been merged or repacked under it
                    self._repo.free()
                    self._read = 0
                raw = bytes(self._repo[oid].read_raw())
                self._read += len(raw)
                return raw
            except (KeyError, ValueError, pygit2.GitError):
                continue
        raise UntrustedHead(oid, "its objects are not here, or broken")


def _locked(lock: Path) -> int:
    """The lock, taken. A stale one is taken away: only the arbiter takes it, so one that stays is a dead program's."""
    began = time.monotonic()
    while True:
        try:
            return os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            if time.monotonic() - began > LOCK_PATIENCE:
                lock.unlink(missing_ok=True)
                began = time.monotonic()
            else:
                time.sleep(0.01)


def ids(repository: Path, upto: CommitId | None, most: int | None = None) -> bytearray:
    """The names of the commits up to this one (the last `most`), 20 bytes each, oldest first. Raises UntrustedHead."""
    repo = pygit2.Repository(str(repository))
    found: list[bytes] = []
    at = pygit2.Oid(hex=upto) if upto else None
    while at is not None and len(found) != most:
        found.append(at.raw)
        try:
            parents = repo[at].peel(pygit2.Commit).parent_ids
        except (KeyError, ValueError, pygit2.GitError):
            raise UntrustedHead(str(at), "its objects are not here, or broken") from None
        at = parents[0] if parents else None
    return bytearray(b"".join(reversed(found)))
