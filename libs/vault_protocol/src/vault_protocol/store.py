"""Git objects without an index or a worktree: a write costs what it touches, at any size of the vault."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pygit2
from pygit2.enums import FileMode, ObjectType

from .errors import UntrustedHead
from .hub import BlobId, Change, Commit, CommitId, Edits
from .task import AgentId

_NO_TREE: dict[str, tuple[str, int]] = {}


class GitStore:
    """A bare repository on this machine."""

    def __init__(self, path: Path) -> None:
        """Opens the repository at `path`, or makes one there."""
        self.path = path
        if not (path / "HEAD").exists():
            pygit2.init_repository(str(path), bare=True, initial_head="main")
        self._repo = pygit2.Repository(str(path))

    def read(self, commit: CommitId, path: str) -> bytes | None:
        found = self._entry(commit, path)
        return None if found is None else self.blob(found)

    def blob(self, blob: BlobId) -> bytes:
        found = self._repo[blob]
        if not isinstance(found, pygit2.Blob):
            raise UntrustedHead(blob, "it is no file")
        return found.data

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
        return tuple(self._changes(before, str(self._commit(new).tree_id), ""))

    def history(self, old: CommitId | None, new: CommitId) -> tuple[Commit, ...]:
        line: list[Commit] = []
        at: CommitId | None = new
        while at != old:
            if at is None:
                raise UntrustedHead(new, f"it does not follow {(old or '')[:12]}: the hub was rolled back or rewritten")
            found = self._commit(at)
            parents = tuple(CommitId(str(parent)) for parent in found.parent_ids)
            if len(parents) > 1:
                raise UntrustedHead(at, "it is a merge; nothing ever merges here")
            when = datetime.fromtimestamp(found.commit_time, UTC)
            line.append(Commit(at, parents, found.message, found.author.name, when))
            at = parents[0] if parents else None
        return tuple(reversed(line))

    def commit(self, parent: CommitId | None, edits: Edits, *, message: str, author: AgentId, at: datetime) -> CommitId:
        tree = self._edit(self._commit(parent).tree_id if parent else None, _nested(edits))
        if tree is None:
            tree = self._repo.TreeBuilder().write()
        who = pygit2.Signature(author, f"{author}@countersign.invalid", int(at.timestamp()), 0)
        parents = [pygit2.Oid(hex=parent)] if parent else []
        return CommitId(str(self._repo.create_commit(None, who, who, message, tree, parents)))

    def has(self, commit: CommitId) -> bool:
        return pygit2.Oid(hex=commit) in self._repo

    def ref(self, name: str) -> CommitId | None:
        """The commit a ref of this clone points to."""
        found = self._repo.references.get(name)
        return CommitId(str(found.target)) if found is not None else None

    def _commit(self, commit: CommitId) -> pygit2.Commit:
        try:
            found: pygit2.Object = self._repo[commit]
        except KeyError:
            raise UntrustedHead(commit, "its objects are not here") from None
        if found.type != ObjectType.COMMIT:
            raise UntrustedHead(commit, "it is no commit")
        return found.peel(pygit2.Commit)

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

    def _entries(self, tree: str | None) -> dict[str, tuple[str, int]]:
        if tree is None:
            return _NO_TREE
        found = self._repo[tree]
        assert isinstance(found, pygit2.Tree)
        return {str(entry.name): (str(entry.id), int(entry.filemode)) for entry in found}

    def _changes(self, old: str | None, new: str | None, prefix: str) -> Iterator[Change]:
        """Equal ids are pruned, so the cost is what differs, not what is there."""
        if old == new:
            return
        before, after = self._entries(old), self._entries(new)
        for name in sorted(before.keys() | after.keys()):
            was, now = before.get(name), after.get(name)
            if was == now:
                continue
            path = prefix + name
            was_tree, was_file = _sides(was)
            now_tree, now_file = _sides(now)
            if was_file or now_file:
                mode = now[1] if now is not None else int(FileMode.BLOB)
                yield Change(path, _blob(was_file), _blob(now_file), mode)
            if was_tree or now_tree:
                yield from self._changes(was_tree, now_tree, path + "/")

    def _edit(self, tree: pygit2.Oid | None, edits: dict[str, object]) -> pygit2.Oid | None:
        """The tree with these edits; None when nothing is left in it."""
        builder = self._repo.TreeBuilder(str(tree)) if tree is not None else self._repo.TreeBuilder()
        for name, edit in edits.items():
            there = builder.get(name)
            if isinstance(edit, dict):
                below = there.id if there is not None and there.type == ObjectType.TREE else None
                changed = self._edit(below, edit)
                if changed is not None:
                    builder.insert(name, changed, FileMode.TREE)
                elif there is not None:
                    builder.remove(name)
            elif edit is None:
                if there is not None:
                    builder.remove(name)
            else:
                assert isinstance(edit, bytes)
                builder.insert(name, self._repo.create_blob(edit), FileMode.BLOB)
        return builder.write() if len(builder) else None


def _sides(entry: tuple[str, int] | None) -> tuple[str | None, str | None]:
    """(tree id, file id): one of them, or neither."""
    if entry is None:
        return None, None
    return (entry[0], None) if entry[1] == FileMode.TREE else (None, entry[0])


def _blob(oid: str | None) -> BlobId | None:
    return BlobId(oid) if oid else None


def _nested(edits: Edits) -> dict[str, object]:
    """Edits by path, as nested folders."""
    root: dict[str, object] = {}
    for path, content in edits.items():
        *folders, name = path.split("/")
        at = root
        for folder in folders:
            below = at.setdefault(folder, {})
            assert isinstance(below, dict), f"{path} lies below a file"
            at = below
        at[name] = content
    return root
