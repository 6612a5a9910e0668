"""Bad objects: modes, trees that git would not write, commits with too many parents, none, or odd headers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from pygit2.enums import ObjectType

from tests.adversary.ground import PLAN, Draft, Ground
from tests.adversary.kind import Kind, Make
from vault_protocol.hub import CommitId

NOTHING = "0" * 40
MODES: dict[str, tuple[bytes, str]] = {
    "an executable": (b"100755", "mode"),
    "a group-writable file": (b"100664", "mode"),
    "a private file": (b"100600", "mode"),
    "a setuid file": (b"104755", "mode"),
    "a file of no rights": (b"100000", "mode"),
    "a symlink": (b"120000", "mode"),
    "a submodule": (b"160000", "mode"),
    "a socket": (b"140000", "mode"),
    "a device": (b"060000", "mode"),
    "a mode of 0": (b"000000", "mode"),
    "a mode of six sevens": (b"777777", "mode"),
    "a folder with rights": (b"40755", "mode"),
    "a mode with a leading zero": (b"0100644", "tree"),
    "a mode of eight digits": (b"00100644", "tree"),
    "a mode that is no number": (b"10064x", "tree"),
    "a mode of nothing": (b"", "tree"),
}
Change = Callable[[Draft], Draft]


def kinds() -> Iterator[Kind]:
    for what, (mode, rule) in MODES.items():
        yield Kind(what, rule, _mode(mode))
    yield Kind("a symlink out of the vault", "mode", _mode(b"120000", b"../../../etc/passwd"))
    yield Kind("a note that turns into a symlink", "mode", _mode(b"120000", b"/etc/passwd", PLAN.encode()))
    yield Kind("a note whose mode alone changes", "mode", _mode_alone)
    yield Kind(
        "a submodule at the top", "mode", lambda at: at.commit(at.graft({b"Plans/sub.md": (b"160000", at.head)}))
    )
    yield from _trees()
    yield from _commits()
    yield from _headers()


def _mode(mode: bytes, content: bytes = b"x\n", path: bytes = b"Plans/p.md") -> Make:
    return lambda at: at.commit(at.graft({path: (mode, at.blob(content))}))


def _mode_alone(at: Ground) -> CommitId:
    there = at.store.blob_id(at.head, PLAN)
    assert there is not None
    return at.commit(at.graft({PLAN.encode(): (b"100755", there)}))


def _trees() -> Iterator[Kind]:
    yield Kind("a file that is a folder", "objects", _entry(b"100644", lambda at: at.tree()))
    yield Kind("a file that is a commit", "objects", _entry(b"100644", lambda at: at.head))
    yield Kind("a file that is nowhere", "objects", _entry(b"100644", lambda at: "1" * 40))
    yield Kind("a file of no name in git", "objects", _entry(b"100644", lambda at: NOTHING))
    yield Kind("a folder that is a file", "tree", _entry(b"40000", lambda at: at.blob()))
    yield Kind("a folder that is a commit", "tree", _entry(b"40000", lambda at: at.head))
    yield Kind("a folder that is nowhere", "objects", _entry(b"40000", lambda at: "1" * 40))
    yield Kind("an empty folder", "tree", _entry(b"40000", lambda at: at.tree()))
    yield Kind(
        "an empty folder named .git", "tree", _top((b"40000", b".git", "4b825dc642cb6eb9a060e54bf8d69288fbee4904"))
    )
    yield Kind("names out of order", "tree", _listed((b"100644", b"b.md"), (b"100644", b"a.md")))
    yield Kind("folders in the order of files", "tree", _listed((b"40000", b"a"), (b"100644", b"a.md")))
    yield Kind("one name twice", "tree", _listed((b"100644", b"a.md"), (b"100644", b"a.md")))
    yield Kind(
        "one name twice, not side by side", "tree", _listed((b"100644", b"a"), (b"100644", b"a.md"), (b"40000", b"a"))
    )
    yield Kind("a tree that is cut off", "tree", _bytes(lambda raw: raw[:-5]))
    yield Kind("a tree with something after it", "tree", _bytes(lambda raw: raw + b"trailing"))
    yield Kind("a tree of noise", "tree", _bytes(lambda raw: b"\x00\x01\x02"))
    yield Kind("2,000 folders in one another", "tree", _nested(2000, 1))
    yield Kind("40 folders in one another", "tree", _nested(40, 1))
    yield Kind("a few objects that are a billion folders", "tree", _nested(9, 10))
    yield Kind("a tree of 30,000 folders", "tree", _wide(30_000))
    yield Kind("a file of over 16 MiB", "size", lambda at: at.commit(at.write({PLAN: b"x" * (16 * 2**20 + 1)})))


def _entry(mode: bytes, what: Callable[[Ground], str]) -> Make:
    return lambda at: at.commit(at.graft({b"Plans/odd.md": (mode, what(at))}))


def _top(entry: tuple[bytes, bytes, str]) -> Make:
    mode, name, oid = entry
    return lambda at: at.commit(at.graft({name: (mode, oid)}))


def _listed(*entries: tuple[bytes, bytes]) -> Make:
    def make(at: Ground) -> CommitId:
        inner = at.tree((b"100644", b"q.md", at.blob()))
        listed = [
            (mode, name, inner if mode == b"40000" else at.blob(b"%d" % n)) for n, (mode, name) in enumerate(entries)
        ]
        return at.commit(at.graft({b"Plans/odd": (b"40000", at.tree(*listed))}))

    return make


def _bytes(change: Callable[[bytes], bytes]) -> Make:
    def make(at: Ground) -> CommitId:
        raw = b"100644 a.md\0" + bytes.fromhex(at.blob())
        return at.commit(at.graft({b"Plans/odd": (b"40000", str(at.repo.odb.write(ObjectType.TREE, change(raw))))}))

    return make


def _nested(depth: int, width: int) -> Make:
    def make(at: Ground) -> CommitId:
        inner = at.tree((b"100644", b"p.md", at.blob()))
        for _ in range(depth):
            inner = at.tree(*((b"40000", b"%03d" % n, inner) for n in range(width)))
        return at.commit(at.graft({b"Plans/deep": (b"40000", inner)}))

    return make


def _wide(count: int) -> Make:
    def make(at: Ground) -> CommitId:
        inner = at.tree((b"100644", b"p.md", at.blob()))
        wide = at.tree(*((b"40000", b"%06d" % n, inner) for n in range(count)))
        return at.commit(at.graft({b"Plans/wide": (b"40000", wide)}))

    return make


def legal(at: Ground) -> Draft:
    return at.draft(at.write({PLAN: b"- [ ] later\n"}))


def changed(change: Callable[[Ground, Draft], Draft]) -> Make:
    """A commit that is right in all but this."""
    return lambda at: at.put(change(at, legal(at)))


def _commits() -> Iterator[Kind]:
    def older(at: Ground, back: int = 1) -> str:
        return at.store.history(None, at.head)[-1 - back].id

    yield Kind(
        "a merge with the commit before", "merge", changed(lambda at, d: replace(d, parents=(at.head, older(at))))
    )
    yield Kind("a merge, the other way round", "merge", changed(lambda at, d: replace(d, parents=(older(at), at.head))))
    yield Kind("one parent twice", "merge", changed(lambda at, d: replace(d, parents=(at.head, at.head))))
    yield Kind("an octopus", "merge", changed(lambda at, d: replace(d, parents=(at.head, older(at), older(at, 2)))))
    yield Kind("a second root", "line", changed(lambda at, d: replace(d, parents=())))
    yield Kind("a commit beside the head", "line", changed(lambda at, d: replace(d, parents=(older(at),))))
    yield Kind("a commit far behind the head", "line", changed(lambda at, d: replace(d, parents=(older(at, 9),))))
    yield Kind("a rollback", "line", lambda at: CommitId(older(at)))
    yield Kind("a rollback to the first commit", "line", lambda at: at.store.history(None, at.head)[0].id)
    yield Kind("a parent that is nowhere", "objects", changed(lambda at, d: replace(d, parents=("1" * 40,))))
    yield Kind("a parent that is a tree", "objects", changed(lambda at, d: replace(d, parents=(at.tree_of(at.head),))))
    yield Kind(
        "bytes behind a zero byte of the message",
        "header",
        changed(lambda at, d: replace(d, message=d.message + b"\0more")),
    )
    yield Kind("a tree that is nowhere", "objects", changed(lambda at, d: replace(d, tree="1" * 40)))
    yield Kind("a tree that is a file", "tree", changed(lambda at, d: replace(d, tree=at.blob())))
    yield Kind("a head that is a tree", "objects", lambda at: CommitId(at.tree_of(at.head)))
    yield Kind("a head that is a file", "objects", lambda at: CommitId(at.blob()))
    yield Kind("a head that is a tag", "objects", _tag)
    yield Kind("a head that is nowhere", "objects", lambda at: CommitId("1" * 40))


def _tag(at: Ground) -> CommitId:
    content = f"object {at.put(legal(at))}\ntype commit\ntag v1\ntagger x <x@x> 1 +0000\n\nx\n".encode()
    return CommitId(str(at.repo.odb.write(ObjectType.TAG, content)))


HEADERS: dict[str, bytes] = {
    "a GPG signature": b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n",
    "an encoding": b"encoding ISO-8859-1\n",
    "an encoding that nobody knows": b"encoding unheard-of\n",
    "a merged tag": b"mergetag object 1111111111111111111111111111111111111111\n type commit\n tag x\n",
    "a header of another tool": b"HG:rename x\n",
    "a header that holds a page": b"x-note " + b"y" * 4096 + b"\n",
    "a second author": b"author local <local@countersign.invalid> 1763888400 +0000\n",
    "a second committer": b"committer local <local@countersign.invalid> 1763888400 +0000\n",
    "a parent after the committer": b"parent 1111111111111111111111111111111111111111\n",
}


COMMITTERS: dict[str, bytes] = {
    "another's name": b"local <local@countersign.invalid> 1763888400 +0000",
    "another time": b"cloud-1 <cloud-1@countersign.invalid> 1763888401 +0000",
    "another zone": b"cloud-1 <cloud-1@countersign.invalid> 1763888400 +1400",
}
AUTHORS: dict[str, bytes] = {
    "an address of somebody": b"cloud-1 <ann@able.example> 1763888400 +0000",
    "no address": b"cloud-1 <> 1763888400 +0000",
    "a time without end": b"cloud-1 <cloud-1@countersign.invalid> 99999999999999999 +0000",
    "a time before time": b"cloud-1 <cloud-1@countersign.invalid> -1 +0000",
    "a zone of its own": b"cloud-1 <cloud-1@countersign.invalid> 1763888400 +9999",
    "no time": b"cloud-1 <cloud-1@countersign.invalid>",
}


def _headers() -> Iterator[Kind]:
    for what, header in HEADERS.items():
        yield Kind(f"a commit with {what}", "header", _put(headers=header))
    for what, line in COMMITTERS.items():
        yield Kind(f"a committer of {what}", "header", _put(committer=line))
    for what, line in AUTHORS.items():
        yield Kind(f"an author with {what}", "header", _put(author=line, committer=line))


def _put(**fields: bytes) -> Make:
    return changed(lambda _at, draft: replace(draft, **fields))  # type: ignore[arg-type]
