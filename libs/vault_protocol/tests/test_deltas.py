"""A folder's versions as deltas: every one is read back by git's own programs and by libgit2, byte for byte."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault_protocol import packs
from vault_protocol.deltas import Patch, delta
from vault_protocol.hub import CommitId
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId

AT = datetime(2026, 11, 25, tzinfo=UTC)
ME = AgentId("local")


def versions(store: GitStore, count: int) -> list[CommitId]:
    """A folder of three hundred notes, and then one note after another that goes, comes or is another."""
    head = store.commit(None, {f"Notes/{n:03}.md": b"%d\n" % n for n in range(300)}, message="x: y\n", author=ME, at=AT)
    line = [head]
    for number in range(count):
        edits = {f"Notes/{number:03}.md": None, f"Notes/{number + 100:03}.md": b"other %d\n" % number}
        edits |= {f"Notes/{number:03}-new.md": b"new\n"}
        line.append(head := store.commit(head, edits, message="x: y\n", author=ME, at=AT))
    return line


def git(store: GitStore, *argv: str) -> str:
    return subprocess.run(
        ["git", f"--git-dir={store.path}", *argv], check=True, capture_output=True, encoding="utf-8"
    ).stdout


def test_what_is_kept_as_deltas_is_what_git_reads(tmp_path: Path) -> None:
    store = GitStore(tmp_path / "clone.git")
    line = versions(store, 90)
    store.set_ref("refs/heads/main", line[-1])
    pack = next((store.path / "objects" / "pack").glob("*.pack"))

    said = git(store, "verify-pack", "-v", str(pack.with_suffix(".idx")))
    deep = max(int(line.split()[5]) for line in said.splitlines() if len(line.split()) == 7)
    assert deep == packs.DEPTH
    git(store, "fsck", "--full", "--strict")
    again = GitStore(store.path)
    for one in line:
        assert dict(again.paths(one)) == dict(store.paths(one))
    assert pack.stat().st_size < 90 * 300 * 20 / 4, "each version costs what differs"


def test_packs_with_deltas_are_joined_and_stay_what_git_reads(tmp_path: Path) -> None:
    store = GitStore(tmp_path / "clone.git")
    folder, head, names = store.path / "objects" / "pack", None, list[str]()
    for number in range(6):
        edits = {f"Notes/{number}-{n:03}.md": b"%d\n" % n for n in range(40)}
        head = store.commit(head, edits, message="x: y\n", author=ME, at=AT)
        head = store.commit(head, {f"Notes/{number}-000.md": None}, message="x: y\n", author=ME, at=AT)
        store.set_ref("refs/heads/main", head)
        names.append(next(path.stem for path in folder.glob("*.pack") if path.stem not in names))
    merged = packs.write(folder, [entry for name in names for entry in packs.read(folder, name)])
    packs.remove(folder, names)
    assert [path.stem for path in folder.glob("*.pack")] == [merged]
    git(store, "fsck", "--full", "--strict")


LINES = st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=30, unique=True)


@given(lines=LINES, chance=st.randoms(use_true_random=False))
def test_a_delta_makes_the_new_content_or_there_is_none(lines: list[bytes], chance: Random) -> None:
    old, new = list[bytes](), list[bytes]()
    differs = list[tuple[bytes | None, bytes | None]]()
    for line in lines:
        match chance.randrange(4):
            case 0:
                old.append(line)
                differs.append((line, None))
            case 1:
                new.append(line)
                differs.append((None, line))
            case _:
                old.append(line)
                new.append(line)
    made = delta(b"".join(old), b"".join(new), differs)
    if made is not None:
        assert applied(b"".join(old), made) == b"".join(new)


@pytest.mark.parametrize("size", [1, 127, 128, 70_000, (1 << 24) + 5])
def test_what_is_brought_and_what_is_copied_may_be_of_any_size(size: int) -> None:
    old, came = b"o" * size, b"n" * size
    made = delta(old, old + came, [(None, came)])
    assert made is not None
    assert applied(old, made) == old + came


def test_lines_that_are_not_all_that_differs_make_no_delta() -> None:
    assert delta(b"one two", b"one three", [(b"two", b"four")]) is None


def test_what_comes_later_is_no_base(tmp_path: Path) -> None:
    one, two = b"1" * 600, b"1" * 600 + b"2"
    objects = {"a" * 40: ("tree", one), "b" * 40: ("tree", two)}
    patches = {"a" * 40: Patch("b" * 40, ((b"2", None),)), "b" * 40: Patch("a" * 40, ((None, b"2"),))}
    kinds = [entry.packed[0] >> 4 & 7 for entry in packs.entries(objects, patches)]
    assert kinds == [2, 7], "the first in full, or neither could be read"


def applied(old: bytes, made: bytes) -> bytes:
    """What git's delta makes, by its description."""
    at, sizes = 0, []
    for _ in range(2):
        size = shift = 0
        while True:
            byte = made[at]
            at, size, shift = at + 1, size | (byte & 0x7F) << shift, shift + 7
            if not byte & 0x80:
                break
        sizes.append(size)
    assert sizes[0] == len(old)
    found = bytearray()
    while at < len(made):
        code = made[at]
        at += 1
        if code & 0x80:
            numbers = []
            for bit in range(7):
                numbers.append(made[at] if code >> bit & 1 else 0)
                at += code >> bit & 1
            offset = int.from_bytes(bytes(numbers[:4]), "little")
            count = int.from_bytes(bytes(numbers[4:]), "little") or 0x10000
            found += old[offset : offset + count]
        else:
            found += made[at : at + code]
            at += code
    assert sizes[1] == len(found)
    return bytes(found)
