"""A vault in a real repository, legally made, in the hands of an agent that turned on it.

Commits are put together byte by byte: nothing of the store's own code stands between an attack and the objects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import pygit2
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.made import CLOUD, LOCAL, NOW, OTHER, Author
from pygit2.enums import ObjectType

from vault_protocol import audit, changeset, notes, tree
from vault_protocol.audit import Record
from vault_protocol.changeset import Changeset, Trail
from vault_protocol.folders import Folders
from vault_protocol.hub import Change, CommitId
from vault_protocol.identity import Identity
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId, Stage, Task

Entry: TypeAlias = tuple[bytes, str]
"""Mode, as it shall be written, and object id."""
Grafts: TypeAlias = Mapping[bytes, Entry | None]
"""Path → what shall stand there; None takes it out."""

WAITS, TRIED = made.task(1), made.task(3, attempt=1)
MINE, AGAIN = made.in_progress(CLOUD, 4), made.in_progress(CLOUD, 12, attempt=2, revision=1)
HERS = made.in_progress(OTHER, 5)
ASKS, SIGNED = made.pending(2), made.pending(6).evolve(stage=Stage.APPROVED)
REFUSED = made.pending(7).evolve(stage=Stage.REJECTED, finished=NOW)
DONE = made.task(8, stage=Stage.DONE, attempt=1, finished=NOW)
ASIDE = made.task(9, stage=Stage.QUARANTINE)
STANDING: dict[str, Task] = {
    "one that waits": WAITS, "one that was tried": TRIED, "its own": MINE, "its own, drafted before": AGAIN,
    "another's": HERS, "one that asks": ASKS, "an approved one": SIGNED, "a rejected one": REFUSED,
    "a done one": DONE, "one set aside": ASIDE,
}  # fmt: skip

MY_LOG, HER_LOG = (audit.path(agent, NOW) for agent in (CLOUD.agent, OTHER.agent))
PLAN = "Plans/email/plan-a.md"
APPROVAL = made.approved(made.pending(6)).path()


@dataclass(frozen=True)
class Draft:
    """What is to be a commit."""

    tree: str
    parents: tuple[str, ...]
    author: bytes
    committer: bytes
    message: bytes
    headers: bytes = b""
    """What stands after the committer."""

    def content(self) -> bytes:
        parents = b"".join(b"parent " + parent.encode() + b"\n" for parent in self.parents)
        return (
            b"tree " + self.tree.encode() + b"\n" + parents + b"author " + self.author + b"\ncommitter "
            + self.committer + b"\n" + self.headers + b"\n" + self.message
        )  # fmt: skip


@dataclass
class Ground:
    """`head` and `trails` are of the last commit that everybody took; `put` moves neither."""

    store: GitStore
    head: CommitId
    trails: dict[AgentId, Trail]
    me: Identity = CLOUD
    seconds: int = int(NOW.timestamp())
    repo: pygit2.Repository = field(init=False)

    def __post_init__(self) -> None:
        self.repo = pygit2.Repository(str(self.store.path))

    def blob(self, content: bytes = b"x\n") -> str:
        return str(self.repo.odb.write(ObjectType.BLOB, content))

    def tree(self, *listed: tuple[bytes, bytes, str]) -> str:
        """A tree of exactly these (mode, name, id), legal or not."""
        raw = b"".join(mode + b" " + name + b"\0" + bytes.fromhex(oid) for mode, name, oid in listed)
        return str(self.repo.odb.write(ObjectType.TREE, raw))

    def graft(self, grafts: Grafts, onto: CommitId | None = None) -> str:
        """The tree of the head, or of `onto`, with these entries in git's order and nothing else checked."""
        return self._graft(self.tree_of(onto or self.head), {tuple(path.split(b"/")): e for path, e in grafts.items()})

    def write(self, edits: Mapping[str, bytes | None], onto: CommitId | None = None) -> str:
        """The tree with these files in it."""
        blobs = {path: None if new is None else (b"100644", self.blob(new)) for path, new in edits.items()}
        return self.graft({path.encode("utf-8", "surrogatepass"): entry for path, entry in blobs.items()}, onto)

    def move(self, old: Task | None, new: Task) -> str:
        path, content = notes.write(new)
        return self.write({**({notes.write(old)[0]: None} if old else {}), path: content})

    def tree_of(self, commit: CommitId) -> str:
        return str(self.repo[commit].peel(pygit2.Commit).tree_id)

    def draft(
        self, top: str, *, who: Identity | None = None, sign_as: Identity | None = None, verb: str = "write",
        attempt: int = 0, change: Callable[[Changeset], Changeset] = lambda unsigned: unsigned,
        onto: CommitId | None = None, trail: Trail | None = None,
    ) -> Draft:  # fmt: skip
        """A commit of this tree on the head, truly signed over what it changes. `change` alters what is signed."""
        who, parent = who or self.me, onto or self.head
        trail = trail or self.trails.get(who.agent, Trail())
        unsigned = changeset.next_in(
            trail, vault=who.vault, agent=who.agent, verb=verb, attempt=attempt,
            changes=self.changes(self.tree_of(parent), top),
        )  # fmt: skip
        try:
            message = change(unsigned).message("by hand", (sign_as or who).key).encode()
        except UnicodeEncodeError:
            message = b"write: by hand\n"
        line = f"{who.agent} <{who.agent}@countersign.invalid> {self.seconds} +0000".encode()
        return Draft(top, (parent,), line, line, message)

    def changes(self, before: str, after: str) -> tuple[Change, ...]:
        try:
            folders = Folders(lambda name: self.repo.odb.read(name)[1], lambda *_: "")
            return tuple(tree.Comparison(folders.apart).changes(before, after))
        except (tree.BadTree, KeyError, ValueError, pygit2.GitError):
            return ()

    def put(self, draft: Draft) -> CommitId:
        return CommitId(str(self.repo.odb.write(ObjectType.COMMIT, draft.content())))

    def commit(self, top: str, **how: object) -> CommitId:
        return self.put(self.draft(top, **how))  # type: ignore[arg-type]

    def grown(self, commit: CommitId) -> Ground:
        """The ground as if this agent's commit had been taken."""
        message = self.repo[commit].peel(pygit2.Commit).message
        found = changeset.parse(
            message, vault=self.me.vault, changes=self.changes(self.tree_of(self.head), self.tree_of(commit))
        )
        return replace(self, head=commit, trails={**self.trails, found.agent: found.trail})

    def _graft(self, top: str | None, grafts: Mapping[tuple[bytes, ...], Entry | None]) -> str:
        listed: dict[bytes, Entry] = {}
        if top is not None:
            found = self.repo[top].peel(pygit2.Tree)
            listed = {entry.raw_name or b"": (b"%o" % entry.filemode, str(entry.id)) for entry in found}
        below: dict[bytes, dict[tuple[bytes, ...], Entry | None]] = {}
        for path, entry in grafts.items():
            if len(path) > 1:
                below.setdefault(path[0], {})[path[1:]] = entry
            elif entry is None:
                listed.pop(path[0], None)
            else:
                listed[path[0]] = entry
        for name, inner in below.items():
            there = listed.get(name)
            grown = self._graft(there[1] if there and there[0] == b"40000" else None, inner)
            if grown == EMPTY:
                listed.pop(name, None)
            else:
                listed[name] = (b"40000", grown)
        order = sorted(listed.items(), key=lambda one: one[0] + (b"/" if one[1][0] == b"40000" else b""))
        return self.tree(*((mode, name, oid) for name, (mode, oid) in order))


EMPTY = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def lay(store: GitStore) -> Ground:
    """The ground in this repository: every stage has a task, every area a note, and every commit is legal."""
    author = Author(store)
    owner_writes = {
        "Company_Handbook.md": b"# Handbook\n", "Business_Goals.md": b"# Goals\n", "Vault.json": b"{}\n",
        "Dashboard.md": b"# Dashboard\n", "Notes/own.md": b"<b>mine</b>\n", "Schedules/weekly.md": b"# Weekly\n",
        "Plans/email/plan-owner.md": b"<b>mine</b>\n",
    }  # fmt: skip
    author.commit(LOCAL, owner_writes)
    for task in (TRIED, MINE, AGAIN, HERS, ASKS, SIGNED, REFUSED, DONE):
        _raise(author, task)
    author.move(LOCAL, None, WAITS)
    author.move(CLOUD, None, ASIDE)
    for who, log in ((CLOUD, MY_LOG), (OTHER, HER_LOG)):
        records = audit.append(None, [Record.of("x", actor=who.agent, target="y", at=NOW)])
        lines = "".join(record.line() for record in records).encode()
        author.commit(who, {log: lines, f"Updates/{who.agent}/recent.md": b"- 2026-11-23T09:00:00Z alive held=1\n"})
    author.commit(OTHER, {f"Signals/withdraw-{ASKS.id}-1.json": b"{}\n", "Briefings/2026-11-23.md": b"# Monday\n"})
    author.commit(CLOUD, {PLAN: b"- [ ] wait\n"})
    assert author.head is not None
    return Ground(store, author.head, dict(author.trails))


def _raise(author: Author, task: Task) -> None:
    """Bring a task to where it stands, by moves that its writers may make."""
    fresh = task.evolve(
        stage=Stage.NEEDS_ACTION, attempt=0, revision=0, lease=None, finished=None, note=made.task().note
    )
    author.move(LOCAL, None, fresh)
    holder = task.lease.owner if task.lease else CLOUD.agent
    who = OTHER if holder == OTHER.agent else CLOUD
    at, drafted = fresh, task.note
    for attempt in range(1, task.attempt + 1):
        lease = made.in_progress(who, attempt=attempt).lease
        held = at.evolve(stage=Stage.IN_PROGRESS, attempt=attempt, lease=lease)
        author.move(who, at, held)
        at = held
        if attempt < task.attempt:
            asks = held.evolve(stage=Stage.PENDING_APPROVAL, lease=None, revision=1, note=made.drafted(fresh))
            author.move(who, held, asks)
            at = asks.evolve(stage=Stage.NEEDS_ACTION, note=fresh.note)
            author.move(LOCAL, asks, at)
    if task.stage is Stage.NEEDS_ACTION or task.stage is Stage.DONE:
        author.move(CLOUD, at, task)
    elif task.stage is not Stage.IN_PROGRESS:
        asks = at.evolve(stage=Stage.PENDING_APPROVAL, lease=None, revision=1, note=drafted)
        author.move(CLOUD, at, asks)
        if task.stage is Stage.APPROVED:
            signed = made.approved(made.pending(6))
            path, content = notes.write(task)
            old = {notes.write(asks)[0]: None}
            author.commit(LOCAL, {**old, path: content, signed.path(): signed.model_dump_json().encode()})
        elif task.stage is Stage.REJECTED:
            author.move(LOCAL, asks, task)
