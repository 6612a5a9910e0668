"""Heads a hostile hub could offer, built by hand in a real git repository; each with the rule that refuses it."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

import pygit2
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.made import CLOUD, LOCAL, OTHER, STRANGER, Author
from pygit2.enums import ObjectType

from vault_protocol import changeset, notes, tree
from vault_protocol.changeset import Trail
from vault_protocol.folders import Folders
from vault_protocol.hub import Change, CommitId, blob_id
from vault_protocol.identity import Identity
from vault_protocol.store import GitStore
from vault_protocol.task import Stage, Task

Entry: TypeAlias = tuple[bytes, bytes, str]
"""Mode, name and object id, as they shall stand in a tree."""
WAITS, ASKS = made.task(1), made.pending(2)


def raw(store: GitStore) -> pygit2.Repository:
    store.keep()
    return pygit2.Repository(str(store.path))


def entries(store: GitStore, commit: CommitId) -> list[Entry]:
    return [(b"%o" % e.filemode, e.raw_name or b"", str(e.id)) for e in raw(store)[commit].peel(pygit2.Tree)]


def written_tree(store: GitStore, listed: Iterable[Entry]) -> str:
    """A tree of exactly these entries, legal or not."""
    content = b"".join(mode + b" " + name + b"\0" + bytes.fromhex(oid) for mode, name, oid in listed)
    return str(raw(store).odb.write(ObjectType.TREE, content))


def sign(author: Author, who: Identity, top: str, *, header: bytes = b"", when: bytes = b"1763888400") -> CommitId:
    """A commit of this tree on the head, truly signed by `who` over whatever our own comparison says it changes."""
    assert author.head is not None
    store = author.store
    before = str(raw(store)[author.head].peel(pygit2.Commit).tree_id)
    read = lambda name: raw(store)[name].read_raw()  # noqa: E731
    try:
        changes = tuple(tree.Comparison(Folders(read, lambda *_: "").apart).changes(before, top))
    except tree.BadTree:
        changes = ()
    trail = author.trails.get(who.agent, Trail())
    try:
        found = changeset.next_in(trail, vault=made.VAULT, agent=who.agent, verb="x", attempt=0, changes=changes)
        message = found.message("by hand", who.key).encode()
    except UnicodeEncodeError:
        message = b"x: by hand\n"
    name = f"{who.agent} <{who.agent}@countersign.invalid> ".encode() + when + b" +0000"
    content = b"tree " + top.encode() + b"\nparent " + author.head.encode() + b"\nauthor " + name
    content += b"\ncommitter " + name + b"\n" + header + b"\n" + message
    return CommitId(str(raw(store).odb.write(ObjectType.COMMIT, content)))


def with_entry(author: Author, mode: bytes, name: bytes, oid: str) -> str:
    """The head's tree with one more entry at the top, in git's order."""
    assert author.head is not None
    listed = [*entries(author.store, author.head), (mode, name, oid)]
    return written_tree(author.store, sorted(listed, key=lambda e: e[1] + (b"/" if e[0] == b"40000" else b"")))


def in_plans(author: Author, mode: bytes, name: bytes, oid: str) -> str:
    """The head's tree with Plans/ that holds one entry."""
    return with_entry(author, b"40000", b"Plans", written_tree(author.store, [(mode, name, oid)]))


def blob(author: Author, content: bytes = b"x") -> str:
    return str(raw(author.store).create_blob(content))


Attack: TypeAlias = Callable[[Author], CommitId]


def unsigned(author: Author) -> CommitId:
    return author.store.commit(author.head, {"Plans/p.md": b"x"}, message="write: x", author=CLOUD.agent, at=made.NOW)


def by_a_stranger(author: Author) -> CommitId:
    return author.commit(STRANGER, {"Plans/p.md": b"x"})


def signed_by_another(author: Author) -> CommitId:
    return author.commit(CLOUD, {"Plans/p.md": b"x"}, sign_as=STRANGER)


def cloud_in_the_name_of_local(author: Author) -> CommitId:
    return author.commit(LOCAL, {"Dashboard.md": b"x"}, sign_as=CLOUD)


def forged_author(author: Author) -> CommitId:
    return author.commit(CLOUD, {"Plans/p.md": b"x"}, author=LOCAL.agent)


def replayed(author: Author) -> CommitId:
    trail = author.trails.get(CLOUD.agent, Trail())
    author.commit(CLOUD, {"Plans/p.md": b"x"})
    author.commit(LOCAL, {"Plans/p.md": None})
    return author.commit(CLOUD, {"Plans/p.md": b"x"}, trail=trail)


def with_a_gap(author: Author) -> CommitId:
    return author.commit(CLOUD, {"Plans/p.md": b"x"}, trail=Trail(1, "0" * 64))


def reordered(author: Author) -> CommitId:
    assert author.head is not None
    good = author.head
    author.commit(CLOUD, {"Plans/p.md": b"x"})
    return author.commit(CLOUD, {"Plans/q.md": b"x"}, onto=good)


def another_past(author: Author) -> CommitId:
    return author.commit(OTHER, {"Plans/p.md": b"x"}, trail=Trail(author.trails[OTHER.agent].sequence, "f" * 64))


def of_another_vault(author: Author) -> CommitId:
    return author.commit(CLOUD, {"Plans/p.md": b"x"}, vault="vault-2")


def other_bytes_than_signed(author: Author) -> CommitId:
    trail = author.trails.get(CLOUD.agent, Trail())
    change = Change("Plans/p.md", None, blob_id(b"signed"))
    found = changeset.next_in(trail, vault=made.VAULT, agent=CLOUD.agent, verb="write", attempt=0, changes=[change])
    message = found.message("x", CLOUD.key)
    return author.store.commit(author.head, {"Plans/p.md": b"other"}, message=message, author=CLOUD.agent, at=made.NOW)


def one_more_file_than_signed(author: Author) -> CommitId:
    trail = author.trails.get(CLOUD.agent, Trail())
    change = Change("Plans/p.md", None, blob_id(b"x"))
    message = changeset.next_in(
        trail, vault=made.VAULT, agent=CLOUD.agent, verb="write", attempt=0, changes=[change]
    ).message("x", CLOUD.key)
    edits = {"Plans/p.md": b"x", "Plans/q.md": b"x"}
    return author.store.commit(author.head, edits, message=message, author=CLOUD.agent, at=made.NOW)


def a_trailer_twice(author: Author) -> CommitId:
    made_ = author.commit(CLOUD, {"Plans/p.md": b"x"})
    message = raw(author.store)[made_].peel(pygit2.Commit).message
    parent = CommitId(str(raw(author.store)[made_].peel(pygit2.Commit).parent_ids[0]))
    return author.store.commit(
        parent, {"Plans/p.md": b"x"}, message=message + "Countersign-Agent: local\n", author=CLOUD.agent, at=made.NOW
    )


def twice(author: Author) -> CommitId:
    path, content = notes.write(made.in_progress(CLOUD, 1))
    return author.commit(CLOUD, {path: content})


def nowhere(author: Author) -> CommitId:
    return author.commit(LOCAL, {notes.write(WAITS)[0]: None})


def moving(writer: Identity, old: Task | None, new: Task) -> Attack:
    return lambda author: author.move(writer, old, new)


def writing(writer: Identity, path: str, content: bytes | None = b"x") -> Attack:
    return lambda author: author.commit(writer, {path: content})


def of_mode(mode: bytes, content: bytes = b"x") -> Attack:
    return lambda author: sign(author, CLOUD, in_plans(author, mode, b"p.md", blob(author, content)))


def submodule(author: Author) -> CommitId:
    assert author.head is not None
    return sign(author, CLOUD, in_plans(author, b"160000", b"p.md", author.head))


def mode_of_a_note_alone(author: Author) -> CommitId:
    assert author.head is not None
    author.commit(CLOUD, {"Plans/p.md": b"x"})
    listed = [entry for entry in entries(author.store, author.head) if entry[1] != b"Plans"]
    plans = written_tree(author.store, [(b"100755", b"p.md", blob(author))])
    top = written_tree(author.store, sorted([*listed, (b"40000", b"Plans", plans)], key=lambda entry: entry[1] + b"/"))
    return sign(author, CLOUD, top)


def named(name: bytes) -> Attack:
    return lambda author: sign(author, CLOUD, in_plans(author, b"100644", name, blob(author)))


def folder_named(name: bytes) -> Attack:
    def attack(author: Author) -> CommitId:
        inner = written_tree(author.store, [(b"100644", b"config.md", blob(author))])
        return sign(author, LOCAL, with_entry(author, b"40000", name, inner))

    return attack


def a_name_twice(author: Author) -> CommitId:
    listed = [(b"100644", b"p.md", blob(author, b"one")), (b"100644", b"p.md", blob(author, b"two"))]
    return sign(author, CLOUD, with_entry(author, b"40000", b"Plans", written_tree(author.store, listed)))


def a_file_and_a_folder_of_one_name(author: Author) -> CommitId:
    inner = written_tree(author.store, [(b"100644", b"q.md", blob(author))])
    listed = [(b"100644", b"p.md", blob(author)), (b"40000", b"p.md", inner)]
    return sign(author, CLOUD, with_entry(author, b"40000", b"Plans", written_tree(author.store, listed)))


def names_out_of_order(author: Author) -> CommitId:
    listed = [(b"100644", b"q.md", blob(author)), (b"100644", b"p.md", blob(author))]
    return sign(author, CLOUD, with_entry(author, b"40000", b"Plans", written_tree(author.store, listed)))


def an_empty_folder(author: Author) -> CommitId:
    return sign(author, CLOUD, with_entry(author, b"40000", b".git", written_tree(author.store, [])))


def nested(depth: int, width: int) -> Attack:
    """Folders in folders: a few objects that unfold into `width` to the power of `depth` paths."""

    def attack(author: Author) -> CommitId:
        inner = written_tree(author.store, [(b"100644", b"p.md", blob(author))])
        for _ in range(depth):
            inner = written_tree(author.store, [(b"40000", b"%03d" % n, inner) for n in range(width)])
        return sign(author, CLOUD, with_entry(author, b"40000", b"Plans", inner))

    return attack


def with_header(header: bytes = b"", when: bytes = b"1763888400") -> Attack:
    return lambda author: sign(
        author, CLOUD, in_plans(author, b"100644", b"p.md", blob(author)), header=header, when=when
    )


def a_merge(author: Author) -> CommitId:
    assert author.head is not None
    side = author.commit(LOCAL, {"Plans/p.md": b"x"})
    top = raw(author.store)[side].peel(pygit2.Commit)
    who = pygit2.Signature("local", "local@countersign.invalid", 0, 0)
    return CommitId(str(raw(author.store).create_commit(None, who, who, top.message, top.tree_id, [side, author.head])))


def rewritten(author: Author) -> CommitId:
    fresh = Author(author.store)
    fresh.move(LOCAL, None, WAITS)
    fresh.move(LOCAL, None, made.task(9))
    return fresh.commit(CLOUD, {"Plans/p.md": b"x"})


def rolled_back(author: Author) -> CommitId:
    assert author.head is not None
    return CommitId(str(raw(author.store)[author.head].peel(pygit2.Commit).parent_ids[0]))


def no_commit(author: Author) -> CommitId:
    return CommitId(blob(author))


def not_there(_author: Author) -> CommitId:
    return CommitId("0" * 39 + "1")


def a_path_below_a_file(author: Author) -> CommitId:
    author.commit(LOCAL, {"Rates.md": b"x"})
    inner = written_tree(author.store, [(b"100644", b"q.md", blob(author))])
    assert author.head is not None
    listed = [entry for entry in entries(author.store, author.head) if entry[1] != b"Rates.md"]
    top = written_tree(
        author.store, sorted([*listed, (b"40000", b"Rates.md", inner)], key=lambda entry: entry[1] + b"/")
    )
    return sign(author, LOCAL, top)


MINE = made.in_progress(CLOUD, 1)
ATTACKS: dict[str, tuple[Attack, str]] = {
    "unsigned": (unsigned, "the commit is not signed: no Agent trailer"),
    "stranger": (by_a_stranger, "no key of stranger is pinned here"),
    "signed by another key": (signed_by_another, "the signature of cloud-1 does not fit"),
    "cloud in the name of local": (cloud_in_the_name_of_local, "the signature of local does not fit"),
    "author forged": (forged_author, "its author is 'local', it was signed by cloud-1"),
    "replayed": (replayed, "changeset 1 of cloud-1 does not follow 1: one is missing or replayed"),
    "a gap": (with_a_gap, "changeset 2 of cloud-1 does not follow 0"),
    "reordered": (reordered, "changeset 2 of cloud-1 does not follow 0"),
    "another past": (another_past, "does not follow"),
    "another vault": (of_another_vault, "the signature of cloud-1 does not fit"),
    "other bytes than signed": (other_bytes_than_signed, "does not fit the change"),
    "one more file than signed": (one_more_file_than_signed, "does not fit the change"),
    "a trailer twice": (a_trailer_twice, "the trailer Agent is there twice"),
    "id in two places": (twice, "rule 'one place'.* would stand in 2 places"),
    "id vanished": (nowhere, "rule 'one place'.* would stand in 0 places"),
    "attempt does not rise": (moving(CLOUD, WAITS, made.in_progress(CLOUD, 1, attempt=0)), "rule 'attempt'"),
    "attempt jumps": (moving(CLOUD, WAITS, made.in_progress(CLOUD, 1, attempt=2)), "rule 'attempt'"),
    "revision does not rise": (moving(LOCAL, ASKS, ASKS.evolve(note=ASKS.note.put(x="1"))), "rule 'revision'"),
    "revision jumps": (moving(LOCAL, ASKS, ASKS.evolve(revision=3)), "rule 'revision'"),
    "cloud edits what was submitted": (moving(CLOUD, ASKS, ASKS.evolve(revision=2)), "rule 'zone'"),
    "cloud approves": (moving(CLOUD, ASKS, ASKS.evolve(stage=Stage.APPROVED)), "rule 'zone'"),
    "cloud takes back": (moving(CLOUD, ASKS, ASKS.evolve(stage=Stage.NEEDS_ACTION)), "rule 'zone'"),
    "cloud submits from nowhere": (moving(CLOUD, None, made.pending(5)), "rule 'move'"),
    "cloud claims for another": (moving(CLOUD, WAITS, made.in_progress(OTHER, 1)), "rule 'zone'"),
    "another agent's updates": (writing(CLOUD, "Updates/cloud-2/recent.md"), "rule 'zone'"),
    "another agent's log": (writing(CLOUD, "Logs/cloud-2/2026-11/23.jsonl"), "rule 'zone'"),
    "approvals by cloud": (writing(CLOUD, "Approvals/2026/11/x.json"), "rule 'zone'"),
    "dashboard by cloud": (writing(CLOUD, "Dashboard.md"), "rule 'zone'"),
    "handbook by cloud": (writing(CLOUD, "Company_Handbook.md"), "rule 'zone'"),
    "settings of obsidian": (writing(CLOUD, ".obsidian/app.json"), "rule 'name'"),
    "gitattributes": (writing(LOCAL, ".gitattributes"), "rule 'name'"),
    "a script": (writing(CLOUD, "Plans/p.sh"), "rule 'name'"),
    "a malformed note": (writing(CLOUD, f"Needs_Action/email/{made.task_id(6)}.md"), "rule 'note'"),
    "a task outside its places": (writing(LOCAL, f"Plans/{made.task_id(6)}.md"), "rule 'place'"),
    "mode 100755": (of_mode(b"100755"), "rule 'mode'"),
    "mode 100664": (of_mode(b"100664"), "rule 'mode'"),
    "mode 100600": (of_mode(b"100600"), "rule 'mode'"),
    "symlink": (of_mode(b"120000", b"/etc/passwd"), "rule 'mode'"),
    "submodule": (submodule, "rule 'mode'"),
    "mode of a note alone": (mode_of_a_note_alone, "rule 'mode'"),
    "name .git": (folder_named(b".git"), "rule 'name'"),
    "name .GIT": (folder_named(b".GIT"), "rule 'name'"),
    "name git~1": (folder_named(b"git~1"), "rule 'name'"),
    "name .git with a hidden character": (folder_named(".g\u200cit".encode()), "rule 'name'"),
    "name .git with a space": (folder_named(b".git "), "rule 'name'"),
    "name .git as a stream": (folder_named(b".git::$INDEX_ALLOCATION"), "rule 'name'"),
    "name with a backslash": (folder_named(b"a\\.git"), "rule 'name'"),
    "name that is not UTF-8": (named(b"p\xff.md"), "not UTF-8"),
    "name of 300 bytes": (named(b"x" * 297 + b".md"), "rule 'name'"),
    "path of over 400 bytes": (writing(CLOUD, "Plans/" + "/".join(["x" * 100] * 4) + ".md"), "rule 'name'"),
    "a name twice": (a_name_twice, "one name twice"),
    "a file and a folder of one name": (a_file_and_a_folder_of_one_name, "one name twice"),
    "names out of order": (names_out_of_order, "not in git's order"),
    "an empty folder": (an_empty_folder, "a folder in it is empty"),
    "a tree too deep": (nested(2000, 1), "folders deep"),
    "a tree without end": (nested(12, 10), "folders differ"),
    "a path below a file": (a_path_below_a_file, "rule 'name'.*named like a note"),
    "a header no one reads": (with_header(header=b"encoding unheard-of\n"), "its header does not read"),
    "a time without end": (with_header(when=b"99999999999999999"), "its header does not read"),
    "a merge": (a_merge, "it is a merge"),
    "rewritten": (rewritten, "rolled back or rewritten"),
    "rolled back": (rolled_back, "rolled back or rewritten"),
    "no commit": (no_commit, "it is no commit"),
    "objects that are not there": (not_there, "its objects are not here"),
}  # fmt: skip
