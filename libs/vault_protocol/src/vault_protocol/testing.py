"""What the services test with: a clock that moves when told, and a hub in memory under the same contract."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from random import Random

from . import picking
from .errors import HubRewritten, HubUnreachable, Refused, UntrustedHead
from .hub import Accepted, BlobId, Broken, Change, Commit, CommitId, Edits, MovedOn, Published, Reserved, Store, blob_id
from .task import AgentId, Domain


class TestClock:
    """Starts on a Monday morning; `tick` moves both clocks, `jump` the wall clock alone."""

    __test__ = False

    def __init__(self, start: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)) -> None:
        self._wall, self._elapsed = start, 0.0

    def now(self) -> datetime:
        return self._wall

    def monotonic(self) -> float:
        return self._elapsed

    def tick(self, by: timedelta) -> None:
        self._wall += by
        self._elapsed += by.total_seconds()

    def jump(self, by: timedelta) -> None:
        self._wall += by


class MemoryStore:
    """Commits as dictionaries of path → blob."""

    def __init__(self) -> None:
        self._blobs: dict[BlobId, bytes] = {}
        self._trees: dict[CommitId, dict[str, BlobId]] = {}
        self._commits: dict[CommitId, Commit] = {}
        self._changes: dict[tuple[CommitId | None, CommitId], tuple[Change, ...]] = {}

    def read(self, commit: CommitId, path: str) -> bytes | None:
        found = self.blob_id(commit, path)
        return None if found is None else self._blobs[found]

    def blob(self, blob: BlobId) -> bytes:
        return self._blobs[blob]

    def blob_id(self, commit: CommitId, path: str) -> BlobId | None:
        return self._tree(commit).get(path)

    def paths(self, commit: CommitId, folder: str = "") -> Iterator[tuple[str, BlobId]]:
        prefix = folder + "/" if folder else ""
        yield from sorted((path, blob) for path, blob in self._tree(commit).items() if path.startswith(prefix))

    def names(self, commit: CommitId, folder: str) -> tuple[str, ...]:
        begin = len(folder) + 1 if folder else 0
        rests = (path[begin:].partition("/") for path, _ in self.paths(commit, folder))
        return tuple(dict.fromkeys(name + slash for name, slash, _ in rests))

    def changes(self, old: CommitId | None, new: CommitId) -> tuple[Change, ...]:
        found = self._changes.get((old, new))
        if found is None:
            found = self._changes[old, new] = self._compare(self._tree(old) if old else {}, self._tree(new))
        return found

    def _compare(self, before: Mapping[str, BlobId], after: Mapping[str, BlobId]) -> tuple[Change, ...]:
        touched = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
        return tuple(Change(path, before.get(path), after.get(path)) for path in touched)

    def history(self, old: CommitId | None, new: CommitId) -> tuple[Commit, ...]:
        line: list[Commit] = []
        at: CommitId | None = new
        while at != old:
            if at is None:
                raise HubRewritten(new, "it does not follow the head that was seen before")
            self._tree(at)
            line.append(self._commits[at])
            at = next(iter(self._commits[at].parents), None)
        return tuple(reversed(line))

    def commit(self, parent: CommitId | None, edits: Edits, *, message: str, author: AgentId, at: datetime) -> CommitId:
        tree = dict(self._tree(parent)) if parent else {}
        for path, content in sorted(edits.items()):
            if any(above in tree or above in edits for above in _folders(path)):
                raise Refused("path", path, "a folder and a file cannot have the same name")
            if content is None:
                tree.pop(path, None)
            else:
                tree[path] = blob_id(content)
                self._blobs[tree[path]] = content
        return self._keep(parent, tree, repr(sorted(edits.items())), message, author, at)

    def tree(self, commit: CommitId) -> str:
        return _sha1(repr(sorted(self._tree(commit).items())))

    def root(self, like: CommitId, *, message: str, author: AgentId, at: datetime) -> CommitId:
        tree = dict(self._tree(like))
        return self._keep(None, tree, repr(sorted(tree.items())), message, author, at)

    def _keep(
        self, parent: CommitId | None, tree: dict[str, BlobId], mark: str, message: str, author: AgentId, at: datetime
    ) -> CommitId:
        commit = CommitId(_sha1(repr((parent, mark, message, author, at))))
        self._trees[commit] = tree
        self._commits[commit] = Commit(commit, (parent,) if parent else (), message, author, at)
        return commit

    def keep(self, *, durable: bool = False) -> None:
        """Nothing here outlives the process."""

    def _tree(self, commit: CommitId) -> dict[str, BlobId]:
        try:
            return self._trees[commit]
        except KeyError:
            raise UntrustedHead(commit, "its objects are not here, or broken") from None


def _sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _folders(path: str) -> Iterator[str]:
    """`a` and `a/b` for `a/b/c.md`."""
    parts = path.split("/")[:-1]
    return ("/".join(parts[: i + 1]) for i in range(len(parts)))


class MemoryHub:
    """A hub shared by its callers. `away` makes it unreachable, `lose_answers` loses the next answers."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.head: CommitId | None = None
        self.away = False
        self.lose_answers = 0

    def refresh(self) -> CommitId | None:
        if self.away:
            raise HubUnreachable("the hub in memory is away")
        return self.head

    def publish(self, commit: CommitId, *, onto: CommitId | None, exact: bool = False) -> Published:
        if self.away:
            return Broken("the hub in memory is away")
        swapped = self.head == onto
        if swapped and not self._follows(commit, onto):
            return Broken("the hub would not take it: it does not follow the head")
        if swapped:
            self.head = commit
        if self.lose_answers:
            self.lose_answers -= 1
            return Broken("the answer was lost")
        if self.head is not None and (swapped or self._grew_past(self.head, commit, onto)):
            return Accepted(self.head)
        return MovedOn(self.head)

    def _grew_past(self, head: CommitId, commit: CommitId, onto: CommitId | None) -> bool:
        """Whether the commit is on the hub already: an earlier answer was lost."""
        try:
            return any(found.id == commit for found in self._store.history(onto, head))
        except UntrustedHead:
            return False

    def _follows(self, commit: CommitId, onto: CommitId | None) -> bool:
        try:
            return bool(self._store.history(onto, commit))
        except UntrustedHead:
            return False

    def replace(self, root: CommitId, *, seen: CommitId | None) -> Published:
        if self.away:
            return Broken("the hub in memory is away")
        if self.head != seen:
            return MovedOn(self.head)
        self.head = root
        return Accepted(root)

    def reserve(self, domains: Iterable[Domain], count: int) -> Reserved:
        return picking.by_chance(self._store, self.refresh(), domains, count, Random(count))  # noqa: S311 - no secret

    def wait(self, seconds: float) -> bool:
        """Nothing to wait for: whoever drives a simulation decides who is next."""
        return True

    def close(self) -> None:
        """Nothing was opened."""
