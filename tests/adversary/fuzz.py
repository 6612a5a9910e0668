"""Seeded mutations of right commits: by somebody on the way, who cannot sign, and by Cloud itself, who can."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random

import pygit2
from pygit2.enums import ObjectType

from tests.adversary.contents import ACTIVE, SECRETS
from tests.adversary.ground import Draft, Entry, Ground
from tests.adversary.kind import Kind
from tests.adversary.legal import LEGAL
from tests.adversary.names import DEVICES, HIDDEN, LIKE_GIT, MEANT
from vault_protocol.changeset import Changeset
from vault_protocol.hub import CommitId
from vault_protocol.task import Stage

_COMMIT = re.compile(
    rb"tree (?P<tree>\w{40})\n(?P<parents>(?:parent \w{40}\n)*)author (?P<author>[^\n]*)\n"
    rb"committer (?P<committer>[^\n]*)\n\n(?P<message>.*)",
    re.DOTALL,
)
MODES = (b"100755", b"120000", b"160000", b"40000", b"100664", b"100600", b"644", b"0", b"777777")
ROOTS = (*Stage, "Plans", "Updates", "Logs", "Signals", "Approvals", "Briefings", "Inbox", "Schedules", ".obsidian")
CHARACTERS = ("", "/", "//", ".", "..", "\\", ":", "~1", "\u200b", "\u202e", " ", "A", "é", "\n", ".r2", "-", "0")


def draft_of(at: Ground, commit: CommitId) -> Draft:
    """A commit, taken apart."""
    found = _COMMIT.fullmatch(at.repo[commit].read_raw())
    assert found is not None
    parents = tuple(line[7:].decode() for line in found["parents"].splitlines())
    return Draft(found["tree"].decode(), parents, found["author"], found["committer"], found["message"])


def right(at: Ground, rng: Random) -> tuple[str, Draft]:
    """The name of a right commit, and the commit taken apart."""
    name, kind = rng.choice(list(LEGAL.items()))
    return name, draft_of(at, kind.make(at))


# On the way: nothing can be signed anew.


def tampered(seed: int) -> Kind:
    """A right commit with some bytes of it changed."""

    def make(at: Ground) -> CommitId:
        rng = Random(seed)
        _, draft = right(at, rng)
        for _ in range(rng.choice((1, 1, 2, 3))):
            draft = rng.choice(TAMPERINGS)(at, draft, rng)
        return at.put(draft)

    return Kind(f"tampered with, seed {seed}", "", make)


def _message(_at: Ground, draft: Draft, rng: Random) -> Draft:
    raw = bytearray(draft.message)
    at = rng.randrange(len(raw))
    way = rng.randrange(4)
    if way == 0:
        raw[at] ^= 1 << rng.randrange(8)
    elif way == 1:
        del raw[at : at + rng.choice((1, 1, 7, 80))]
    elif way == 2:
        raw[at:at] = bytes(rng.randrange(256) for _ in range(rng.choice((1, 2, 30))))
    else:
        lines = bytes(raw).splitlines(keepends=True)
        rng.shuffle(lines)
        raw = bytearray(b"".join(lines))
    return replace(draft, message=bytes(raw))


def _another_tree(at: Ground, draft: Draft, rng: Random) -> Draft:
    return replace(draft, tree=rng.choice([right(at, rng)[1].tree, at.tree_of(at.head), at.tree(), at.blob()]))


def _another_message(at: Ground, draft: Draft, rng: Random) -> Draft:
    return replace(draft, message=right(at, rng)[1].message)


def _another_past(at: Ground, draft: Draft, rng: Random) -> Draft:
    line = [commit.id for commit in at.store.history(None, at.head)]
    return replace(draft, parents=rng.choice([(), (rng.choice(line),), (at.head, rng.choice(line)), ("1" * 40,)]))


def _another_author(_at: Ground, draft: Draft, rng: Random) -> Draft:
    who = rng.choice((b"local", b"cloud-2", b"cloud-1", b"x"))
    line = who + b" <" + who + b"@countersign.invalid> %d +0000" % rng.randrange(2 * 10**9)
    return replace(draft, author=line, committer=rng.choice((line, draft.committer)))


def _a_header(_at: Ground, draft: Draft, rng: Random) -> Draft:
    return replace(draft, headers=rng.choice((b"x y\n", b"gpgsig x\n", b"encoding UTF-8\n", b"\n", b" x\n")))


Tampering = Callable[[Ground, Draft, Random], Draft]
TAMPERINGS: tuple[Tampering, ...] = (
    _message, _message, _message, _another_tree, _another_message, _another_past, _another_author, _a_header,
)  # fmt: skip


# Cloud itself: whatever it makes is truly signed.


@dataclass
class Change:
    """What a commit changes, before it is put together."""

    at: Ground
    rng: Random
    grafts: dict[bytes, Entry | None]
    attempt: int = 0
    unsigned: list[Callable[[Changeset], Changeset]] = field(default_factory=list)

    def signed(self, unsigned: Changeset) -> Changeset:
        for change in self.unsigned:
            unsigned = change(unsigned)
        return unsigned

    def some_path(self) -> bytes | None:
        written = [path for path, entry in self.grafts.items() if entry is not None]
        return self.rng.choice(written) if written else None


def signed(seed: int) -> Kind:
    """A right commit, changed and then truly signed by Cloud."""

    def make(at: Ground) -> CommitId:
        rng = Random(seed)
        _, draft = right(at, rng)
        head = CommitId(draft.parents[0])
        changes = at.changes(at.tree_of(head), draft.tree)
        grafts = {c.path.encode(): None if c.new is None else (b"100644", str(c.new)) for c in changes}
        attempt = int((re.search(rb"Attempt: (\d+)", draft.message) or [b"", b"0"])[1])
        change = Change(at, rng, dict(grafts), attempt)
        for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
            rng.choice(MUTATIONS)(change)
        base = at if head == at.head else at.grown(head)
        top = base.graft(change.grafts)
        if rng.random() < 0.05:
            top = _torn(at, top, rng)
        return base.commit(top, attempt=change.attempt, change=change.signed)

    return Kind(f"signed by Cloud, seed {seed}", "", make)


def _torn(at: Ground, top: str, rng: Random) -> str:
    """One byte of the top tree is another."""
    raw = bytearray(at.repo.odb.read(top)[1])
    raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    return str(at.repo.odb.write(ObjectType.TREE, bytes(raw)))


def _mode(change: Change) -> None:
    path = change.some_path()
    if path is not None and (entry := change.grafts[path]) is not None:
        change.grafts[path] = (change.rng.choice(MODES), entry[1])


def _rename(change: Change) -> None:
    path, rng = change.some_path(), change.rng
    if path is None:
        return
    name = path.decode("utf-8", "replace")
    where = rng.randrange(len(name))
    way = rng.randrange(4)
    if way == 0:
        name = name[:where] + rng.choice(CHARACTERS) + name[where + rng.randrange(3) :]
    elif way == 1:
        name = name.rpartition("/")[0] + "/" + rng.choice((*LIKE_GIT, *HIDDEN, *MEANT, *DEVICES))
    elif way == 2:
        name = name.swapcase()
    else:
        name = "/".join([rng.choice(ROOTS), *name.split("/")[1:]])
    entry = change.grafts[path]
    if rng.random() < 0.7:
        del change.grafts[path]
    if name.strip("/") and "//" not in name:
        change.grafts[name.strip("/").encode("utf-8", "replace")] = entry


def _content(change: Change) -> None:
    path, rng = change.some_path(), change.rng
    if path is None or (entry := change.grafts[path]) is None:
        return
    found = change.at.repo.get(entry[1])
    if not isinstance(found, pygit2.Blob):
        return
    text = found.data
    where, way = rng.randrange(len(text) + 1), rng.randrange(6)
    lines = text.splitlines(keepends=True) or [b""]
    line = rng.randrange(len(lines))
    if way == 0:
        text = text[:where] + bytes([rng.randrange(256)]) + text[where + 1 :]
    elif way == 1:
        text = b"".join(lines[:line] + lines[line + 1 :])
    elif way == 2:
        text = b"".join(lines[: line + 1] + lines[line:])
    elif way == 3:
        text = re.sub(rb"(attempt|revision): \d+", lambda m: m[1] + b": %d" % rng.randrange(4), text)
    elif way == 4:
        text = b"".join([*lines[:line], rng.choice(list(SECRETS.values())).encode() + b"\n", *lines[line:]])
    else:
        text = b"".join([*lines[:line], rng.choice(list(ACTIVE.values())).encode() + b"\n", *lines[line:]])
    change.grafts[path] = (entry[0], change.at.blob(text))


def _drop(change: Change) -> None:
    if change.grafts:
        del change.grafts[change.rng.choice(list(change.grafts))]


def _more(change: Change) -> None:
    """Something else in the vault goes, or becomes what another is."""
    there = dict(change.at.store.paths(change.at.head))
    path, other = change.rng.choice(list(there)), change.rng.choice(list(there))
    entry = None if change.rng.random() < 0.4 else (b"100644", str(there[other]))
    change.grafts[path.encode()] = entry


def _swap(change: Change) -> None:
    paths = list(change.grafts)
    if len(paths) > 1:
        one, other = change.rng.sample(paths, 2)
        change.grafts[one], change.grafts[other] = change.grafts[other], change.grafts[one]


def _numbers(change: Change) -> None:
    rng = change.rng
    way = rng.randrange(5)
    if way == 0:
        change.attempt += rng.choice((-1, 1, 2))
    elif way == 1:
        step = rng.choice((-1, 1, 5))
        change.unsigned.append(lambda c: replace(c, sequence=c.sequence + step))
    elif way == 2:
        change.unsigned.append(partial(replace, previous=f"{rng.getrandbits(256):064x}"))
    elif way == 3:
        change.unsigned.append(partial(replace, policy=rng.choice((0, 2, 77))))
    else:
        change.unsigned.append(partial(replace, vault="vault-2"))


Mutation = Callable[[Change], None]
MUTATIONS: tuple[Mutation, ...] = (
    _mode,
    _rename,
    _rename,
    _rename,
    _content,
    _content,
    _content,
    _drop,
    _more,
    _swap,
    _numbers,
)
