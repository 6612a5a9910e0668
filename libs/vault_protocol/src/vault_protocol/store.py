"""Git objects without an index or a worktree: a write costs what it touches, at any size of the vault."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from errno import ENOSPC
from pathlib import Path

import pygit2
from pygit2.enums import FileMode, ObjectType

from . import disk, janitor
from .errors import HubRewritten, Refused, UntrustedHead
from .hub import BlobId, Change, Commit, CommitId, Edits
from .task import AgentId
from .tree import BadTree, Comparison

_WRITTEN = re.compile(
    rb"tree [0-9a-f]{40}\n(?:parent [0-9a-f]{40}\n)?"
    rb"author (?P<who>(?P<name>[^<>\n\0]+) <(?P=name)@countersign\.invalid> (?P<at>[0-9]{1,10}) \+0000)\n"
    rb"committer (?P=who)\n\n(?P<message>[^\0]*)"
)
"""A commit as `commit` writes it."""


class GitStore:
    """A bare repository on this machine."""

    def __init__(self, path: Path) -> None:
        """Opens the repository at `path`, or makes one there. Raises DiskTrouble."""
        self.path = path
        if not (path / "HEAD").exists():
            janitor.clear_clone(path)  # of whoever was killed while making it
            with self._writing():
                pygit2.init_repository(str(path), bare=True, initial_head="main")
        self._repo = pygit2.Repository(str(path))

    def read(self, commit: CommitId, path: str) -> bytes | None:
        found = self._entry(commit, path)
        return None if found is None else self.blob(found)

    def blob(self, blob: BlobId) -> bytes:
        found = self._object(blob)
        if not isinstance(found, pygit2.Blob):
            raise UntrustedHead(blob, "it is no file")
        return found.data

    def size(self, blob: BlobId) -> int:
        """How large it is, without reading it. Raises UntrustedHead when it is not here, or no file."""
        try:
            kind, size = self._repo.odb.read_header(pygit2.Oid(hex=blob))
        except (KeyError, pygit2.GitError):
            raise UntrustedHead(CommitId(blob), "its objects are not here, or broken") from None
        if kind != ObjectType.BLOB:
            raise UntrustedHead(CommitId(blob), "it is no file")
        return int(size)

    def blob_id(self, commit: CommitId, path: str) -> BlobId | None:
        return self._entry(commit, path)

    def paths(self, commit: CommitId, folder: str = "") -> Iterator[tuple[str, BlobId]]:
        tree = self._commit(commit).tree
        if folder:
            try:
                found = tree[folder]
            except KeyError:
                return
            if not isinstance(found, pygit2.Tree):
                return
            tree = found
        yield from self._walk(tree, folder + "/" if folder else "")

    def changes(self, old: CommitId | None, new: CommitId) -> tuple[Change, ...]:
        before = str(self._commit(old).tree_id) if old else None
        try:
            found = Comparison(self._raw_tree).changes(before, str(self._commit(new).tree_id))
            return tuple(sorted(found, key=lambda change: change.path))
        except BadTree as error:
            raise UntrustedHead(new, str(error)) from None

    def history(self, old: CommitId | None, new: CommitId) -> tuple[Commit, ...]:
        line: list[Commit] = []
        at: CommitId | None = new
        while at != old:
            if at is None:
                raise HubRewritten(new, f"it does not follow {(old or '')[:12]}: the hub was rolled back or rewritten")
            found = self._commit(at)
            parents = tuple(CommitId(str(parent)) for parent in found.parent_ids)
            if len(parents) > 1:
                raise UntrustedHead(at, "it is a merge; nothing ever merges here")
            line.append(_described(at, parents, found))
            at = parents[0] if parents else None
        return tuple(reversed(line))

    def commit(self, parent: CommitId | None, edits: Edits, *, message: str, author: AgentId, at: datetime) -> CommitId:
        try:
            with self._writing():
                return self._make(parent, edits, message, author, at)
        except pygit2.GitError as error:  # a name or an author that git does not write
            raise Refused("form", "", str(error)) from None

    def _make(self, parent: CommitId | None, edits: Edits, message: str, author: AgentId, at: datetime) -> CommitId:
        tree = self._edit(self._commit(parent).tree_id if parent else None, nested(edits))
        if tree is None:
            tree = self._repo.TreeBuilder().write()
        who = pygit2.Signature(author, f"{author}@countersign.invalid", int(at.timestamp()), 0)
        parents = [pygit2.Oid(hex=parent)] if parent else []
        return CommitId(str(self._repo.create_commit(None, who, who, message, tree, parents)))

    def tree(self, commit: CommitId) -> str:
        return str(self._commit(commit).tree_id)

    def root(self, like: CommitId, *, message: str, author: AgentId, at: datetime) -> CommitId:
        who = pygit2.Signature(author, f"{author}@countersign.invalid", int(at.timestamp()), 0)
        tree = self._commit(like).tree_id
        with self._writing():
            return CommitId(str(self._repo.create_commit(None, who, who, message, tree, [])))

    def when(self, commit: CommitId) -> datetime:
        """The time its author wrote into it."""
        return datetime.fromtimestamp(self._commit(commit).commit_time, UTC)

    def has(self, commit: CommitId) -> bool:
        return pygit2.Oid(hex=commit) in self._repo

    def message(self, commit: CommitId) -> str:
        """What its author wrote, trailers and all."""
        return self._commit(commit).message

    def set_ref(self, name: str, commit: CommitId) -> None:
        """Note a commit under a ref of this clone."""
        self._repo.references.create(name, commit, force=True)

    def note_ref(self, name: str, commit: CommitId) -> None:
        """The same for what is only a help: another process may be noting it just now, or a kill have left its lock."""
        try:
            self.set_ref(name, commit)
        except (pygit2.GitError, OSError):
            lock = self.path / f"{name}.lock"
            if lock.exists() and time.time() - lock.stat().st_mtime > 60:
                lock.unlink(missing_ok=True)

    def ref(self, name: str) -> CommitId | None:
        """The commit a ref of this clone points to."""
        found = self._repo.references.get(name)
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

    def _object(self, name: str) -> pygit2.Object:
        try:
            found: pygit2.Object = self._repo[name]
        except (KeyError, pygit2.GitError):
            raise UntrustedHead(CommitId(name), "its objects are not here, or broken") from None
        return found

    def _commit(self, commit: CommitId) -> pygit2.Commit:
        found = self._object(commit)
        if found.type != ObjectType.COMMIT:
            raise UntrustedHead(commit, "it is no commit")
        return found.peel(pygit2.Commit)

    def _raw_tree(self, name: str) -> bytes:
        found = self._object(name)
        if found.type != ObjectType.TREE:
            raise BadTree("a folder in it is no tree")
        return found.read_raw()

    def _entry(self, commit: CommitId, path: str) -> BlobId | None:
        try:
            found = self._commit(commit).tree[path]
        except KeyError:
            return None
        return BlobId(str(found.id)) if isinstance(found, pygit2.Blob) else None

    def _walk(self, tree: pygit2.Tree, prefix: str) -> Iterator[tuple[str, BlobId]]:
        for entry in tree:
            name = f"{prefix}{entry.name}"
            if isinstance(entry, pygit2.Tree):
                yield from self._walk(entry, name + "/")
            else:
                yield name, BlobId(str(entry.id))

    def _edit(self, tree: pygit2.Oid | None, edits: dict[str, object]) -> pygit2.Oid | None:
        """The tree with these edits; None when nothing is left in it."""
        builder = self._repo.TreeBuilder(str(tree)) if tree is not None else self._repo.TreeBuilder()
        for name, edit in edits.items():
            there = _there(builder, name)
            is_folder = there is not None and there.type == ObjectType.TREE
            if there is not None and edit is not None and is_folder != isinstance(edit, dict):
                raise Refused("path", name, "a folder and a file cannot have the same name")
            if isinstance(edit, dict):
                changed = self._edit(there.id if there is not None else None, edit)
                if changed is not None:
                    builder.insert(name, changed, FileMode.TREE)
                elif there is not None:
                    builder.remove(name)
            elif edit is None:
                if there is not None and not is_folder:
                    builder.remove(name)
            else:
                assert isinstance(edit, bytes)
                builder.insert(name, self._repo.create_blob(edit), FileMode.BLOB)
        return builder.write() if len(builder) else None


def _there(builder: pygit2.TreeBuilder, name: str) -> pygit2.Object | None:
    return builder.get(name)


def _described(at: CommitId, parents: tuple[CommitId, ...], found: pygit2.Commit) -> Commit:
    """Read from its bytes: what stands in a header that no agent writes, or behind a zero byte, nobody has judged."""
    read = _WRITTEN.fullmatch(found.read_raw())
    if read is None:
        raise UntrustedHead(at, "its header does not read: it holds what no agent writes")
    try:
        when = datetime.fromtimestamp(int(read["at"]), UTC)
        return Commit(at, parents, read["message"].decode("utf-8"), read["name"].decode("utf-8"), when)
    except (ValueError, OverflowError, OSError) as error:
        raise UntrustedHead(at, f"its header does not read: {error}") from None


def nested(edits: Mapping[str, object]) -> dict[str, object]:
    """Edits by path, as nested folders. Raises Refused for a path below a file."""
    root: dict[str, object] = {}
    for path, content in sorted(edits.items()):
        *folders, name = path.split("/")
        at = root
        for folder in folders:
            below = at.setdefault(folder, {})
            if not isinstance(below, dict):
                raise Refused("path", path, "a folder and a file cannot have the same name")
            at = below
        at[name] = content
    return root
