"""Git objects without an index or a worktree: a write costs what it touches, at any size of the vault."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from errno import ENOSPC
from pathlib import Path

import pygit2

from . import disk, janitor
from .errors import HubRewritten, Refused, UntrustedHead
from .folders import LARGEST_TREE, Folders, is_plain
from .hub import BlobId, Change, Commit, CommitId, Edits, blob_id
from .kept import Kept
from .objects import Objects
from .task import AgentId
from .tree import BadTree, Comparison

_WRITTEN = re.compile(
    rb"tree [0-9a-f]{40}\n(?:parent [0-9a-f]{40}\n)?"
    rb"author (?P<who>(?P<name>[^<>\n\0]+) <(?P=name)@countersign\.invalid> (?P<at>[0-9]{1,10}) \+0000)\n"
    rb"committer (?P=who)\n\n(?P<message>[^\0]*)"
)
"""A commit as `commit` writes it."""

LARGEST_COMMIT = 4 * 1024 * 1024
"""Bytes of one, which is read whole before anybody has judged it."""

_LINKS = re.compile(rb"tree ([0-9a-f]{40})\n((?:parent [0-9a-f]{40}\n)*)")


class GitStore:
    """A bare repository on this machine. What is written can be read at once, and is on disk after `keep`."""

    def __init__(self, path: Path) -> None:
        """Opens the repository at `path`, or makes one there. Raises DiskTrouble."""
        self.path = path
        if not (path / "HEAD").exists():
            janitor.clear_clone(path)  # of whoever was killed while making it
            with self._writing():
                pygit2.init_repository(str(path), bare=True, initial_head="main")
        self._objects = Objects(path)
        self._folders = Folders(self._raw_tree, self._objects.add)
        self._compared: Kept[tuple[CommitId | None, CommitId], tuple[Change, ...]] = Kept(10_000)
        self._linked: Kept[CommitId, tuple[str, tuple[CommitId, ...]]] = Kept(10_000)
        self._described: Kept[CommitId, Commit] = Kept(1_000)

    def close(self) -> None:
        """Let go of what libgit2 holds for this repository, which would stay until Python looks for circles. Reading
        goes on."""
        self._objects.repository.free()

    def read(self, commit: CommitId, path: str) -> bytes | None:
        found = self.blob_id(commit, path)
        return None if found is None else self.blob(found)

    def blob(self, blob: BlobId) -> bytes:
        kind, raw = self._objects.read(blob)
        if kind != "blob":
            raise UntrustedHead(CommitId(blob), "it is no file")
        return raw

    def size(self, blob: BlobId) -> int:
        """How large it is, without reading it. Raises UntrustedHead when it is not here, or no file."""
        kind, size = self._objects.header(blob)
        if kind != "blob":
            raise UntrustedHead(CommitId(blob), "it is no file")
        return size

    def blob_id(self, commit: CommitId, path: str) -> BlobId | None:
        with _trees_of(commit):
            return self._folders.find(self.tree(commit), path)

    def paths(self, commit: CommitId, folder: str = "") -> Iterator[tuple[str, BlobId]]:
        with _trees_of(commit):
            below = self._folders.below(self.tree(commit), folder)
            yield from self._folders.walk(below, folder + "/" if folder else "")

    def names(self, commit: CommitId, folder: str) -> tuple[str, ...]:
        with _trees_of(commit):
            return self._folders.names(self.tree(commit), folder)

    def changes(self, old: CommitId | None, new: CommitId) -> tuple[Change, ...]:
        found = self._compared.get((old, new))
        if found is None:
            with _trees_of(new):
                walked = Comparison(self._folders.apart).changes(self.tree(old) if old else None, self.tree(new))
                found = tuple(sorted(walked, key=lambda change: change.path))
            self._compared.put((old, new), found, len(found) + 1)
        return found

    def history(self, old: CommitId | None, new: CommitId) -> tuple[Commit, ...]:
        return tuple(reversed(list(self.back(new, old))))

    def back(self, new: CommitId, old: CommitId | None) -> Iterator[Commit]:
        """What `history` says, newest first, and only as far as somebody reads."""
        at: CommitId | None = new
        while at != old:
            if at is None:
                raise HubRewritten(new, f"it does not follow {(old or '')[:12]}: the hub was rolled back or rewritten")
            _, parents = self._links(at)
            if len(parents) > 1:
                raise UntrustedHead(at, "it is a merge; nothing ever merges here")
            yield self._describe(at, parents)
            at = parents[0] if parents else None

    def follows(self, head: CommitId | None, commit: CommitId) -> bool:
        """Whether this head is the commit, or grew from it."""
        try:
            return head is not None and bool(head == commit or self.history(commit, head))
        except UntrustedHead:
            return False

    def commit(self, parent: CommitId | None, edits: Edits, *, message: str, author: AgentId, at: datetime) -> CommitId:
        before = self.tree(parent) if parent else None
        blobs = {path: blob_id(content) if content is not None else None for path, content in edits.items()}
        folders = nested(blobs)
        with _trees_of(parent or CommitId("")):
            for content in edits.values():
                if content is not None:
                    self._objects.add("blob", content)
            met: dict[str, bytes] = {}
            tree = self._folders.edit(before, folders, met=met) or self._objects.add("tree", b"")
        made = self._write(tree, parent, message, author, at)
        if all(map(is_plain, met.values())):
            changes = tuple(_changed(met, blobs))
            self._compared.put((parent, made), changes, len(changes) + 1)
        return made

    def tree(self, commit: CommitId) -> str:
        return self._links(commit)[0]

    def root(self, like: CommitId, *, message: str, author: AgentId, at: datetime) -> CommitId:
        return self._write(self.tree(like), None, message, author, at)

    def when(self, commit: CommitId) -> datetime:
        """The time its author wrote into it."""
        return self._describe(commit, self._links(commit)[1]).at

    def has(self, commit: CommitId) -> bool:
        return self._objects.has(commit)

    def message(self, commit: CommitId) -> str:
        """What its author wrote, trailers and all."""
        return self._describe(commit, self._links(commit)[1]).message

    def keep(self, *, durable: bool = False) -> None:
        """Raises DiskTrouble; then it is still as readable here as before."""
        self._objects.keep(durable=durable)

    def set_ref(self, name: str, commit: CommitId) -> None:
        """Note a commit under a ref of this clone, and keep what it leads to. Raises DiskTrouble."""
        self.keep()
        self._objects.repository.references.create(name, commit, force=True)

    def note_ref(self, name: str, commit: CommitId) -> None:
        """The same for what is only a help: another process may be noting it just now, or a kill have left its lock."""
        try:
            self.set_ref(name, commit)
        except (pygit2.GitError, OSError):
            lock = self.path / f"{name}.lock"
            with suppress(FileNotFoundError):  # whoever held it may be done by now
                if time.time() - lock.stat().st_mtime > 60:
                    lock.unlink()

    def ref(self, name: str) -> CommitId | None:
        """The commit a ref of this clone points to."""
        found = self._objects.repository.references.get(name)
        return CommitId(str(found.target)) if found is not None else None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """libgit2 tells of a full disk by an error without a code, at times without a word."""
        try:
            yield
        except (pygit2.GitError, OSError) as error:
            code = disk.said(str(error))
            if code is None and str(error) != "no error":
                raise
            raise disk.trouble(ENOSPC if code is None else code, self.path) from error

    def _write(self, tree: str, parent: CommitId | None, message: str, author: AgentId, at: datetime) -> CommitId:
        if not author.strip() or set(author) & set("<>\n\0") or "\0" in message:
            raise Refused("form", "", "its author or message is none that git writes")
        who = f"{author} <{author}@countersign.invalid> {int(at.timestamp())} +0000"
        lines = [f"tree {tree}", *([f"parent {parent}"] if parent else []), f"author {who}", f"committer {who}"]
        return CommitId(self._objects.add("commit", ("\n".join(lines) + f"\n\n{message}").encode("utf-8")))

    def _links(self, commit: CommitId) -> tuple[str, tuple[CommitId, ...]]:
        """Its tree and its parents."""
        found = self._linked.get(commit)
        if found is None:
            read = _LINKS.match(self._raw_commit(commit))
            if read is None:
                raise UntrustedHead(commit, "its header does not read")
            parents = tuple(CommitId(line[7:].decode("ascii")) for line in read[2].splitlines())
            found = read[1].decode("ascii"), parents
            self._linked.put(commit, found)
        return found

    def _describe(self, commit: CommitId, parents: tuple[CommitId, ...]) -> Commit:
        """Read from its bytes: what stands in a header no agent writes, or behind a zero byte, nobody has judged."""
        known = self._described.get(commit)
        if known is not None:
            return known
        read = _WRITTEN.fullmatch(self._raw_commit(commit))
        if read is None:
            raise UntrustedHead(commit, "its header does not read: it holds what no agent writes")
        try:
            when = datetime.fromtimestamp(int(read["at"]), UTC)
            found = Commit(commit, parents, read["message"].decode("utf-8"), read["name"].decode("utf-8"), when)
        except (ValueError, OverflowError, OSError) as error:
            raise UntrustedHead(commit, f"its header does not read: {error}") from None
        self._described.put(commit, found)
        return found

    def _raw_commit(self, commit: CommitId) -> bytes:
        kind, raw = self._objects.read(commit, most=LARGEST_COMMIT)
        if kind != "commit":
            raise UntrustedHead(commit, "it is no commit")
        return raw

    def _raw_tree(self, name: str) -> bytes:
        kind, raw = self._objects.read(name, most=LARGEST_TREE)
        if kind != "tree":
            raise BadTree("a folder in it is no tree")
        return raw


@contextmanager
def _trees_of(commit: CommitId) -> Iterator[None]:
    """A tree that does not parse makes its commit one that is not to be trusted."""
    try:
        yield
    except BadTree as error:
        raise UntrustedHead(commit, str(error)) from None


def _changed(met: Mapping[str, bytes], blobs: Mapping[str, BlobId | None]) -> Iterator[Change]:
    """What edits change that met these lines, by path."""
    for path, new in sorted(blobs.items()):
        old = BlobId(met[path][-20:].hex()) if met[path] else None
        if old != new:
            yield Change(path, old, new)


def nested(edits: Mapping[str, object]) -> dict[str, object]:
    """Edits by path, as nested folders. Raises Refused for a path below a file, and for one that git does not write."""
    root: dict[str, object] = {}
    for path, content in sorted(edits.items()):
        *folders, name = path.split("/")
        if "\0" in path or not _NO_NAMES.isdisjoint(path.lower().split("/")):
            raise Refused("form", path, "git writes no such path")
        at = root
        for folder in folders:
            below = at.setdefault(folder, {})
            if not isinstance(below, dict):
                raise Refused("path", path, "a folder and a file cannot have the same name")
            at = below
        at[name] = content
    return root


_NO_NAMES = frozenset({"", ".", "..", ".git"})
