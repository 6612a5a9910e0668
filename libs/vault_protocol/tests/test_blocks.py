"""A folder in blocks is the folder that a plain dictionary makes, whatever is put where."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from vault_protocol.blocks import EMPTY, SIZE, Folder, line, split
from vault_protocol.hub import REGULAR
from vault_protocol.tree import FOLDER

NAMES = st.text("ab.-", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))
IDS = st.integers(0, 3).map(lambda number: f"{number:040x}")
PUT = st.dictionaries(NAMES, st.none() | st.tuples(st.booleans(), IDS), max_size=12)


def written(name: str, entry: tuple[bool, str] | None) -> tuple[bytes, bytes | None]:
    """Its key and its line."""
    folder, oid = entry or (False, "")
    key = name.encode() + (b"/" if folder else b"")
    return key, line(name.encode(), FOLDER if folder else REGULAR, oid) if entry else None


@settings(max_examples=300)
@given(st.integers(0, 5 * SIZE), st.lists(PUT, max_size=6))
def test_putting_lines_makes_what_a_dictionary_makes(many: int, puts: list[dict[str, tuple[bool, str] | None]]) -> None:
    there = dict(written(f"b{number:03}", (False, f"{number:040x}")) for number in range(many))
    folder, met = EMPTY.put(there)
    assert len(met) == many
    for put in puts:
        lines = dict(written(name, entry) for name, entry in put.items())
        before = folder.raw
        folder, met = folder.put(lines)
        assert list(met) == [(there.get(key), lines[key]) for key in sorted(lines)]
        there |= lines
        for key in [key for key, came in there.items() if came is None]:
            del there[key]
        assert b"".join(gone or b"" for gone, _ in met).count(b"\0") <= before.count(b"\0")
    assert list(folder.keys) == sorted(there)
    assert list(folder.lines) == [there[key] for key in sorted(there)]
    assert folder.raw == b"".join(folder.lines)
    assert folder.size == len(there)
    assert all(folder.line(key) == found for key, found in there.items())
    assert folder.line(b"zz") is folder.line(b"") is None


@given(st.integers(0, 5 * SIZE))
def test_what_was_parsed_is_what_was_made(many: int) -> None:
    made, _ = EMPTY.put(dict(written(f"b{number:03}", (number % 7 == 0, f"{number:040x}")) for number in range(many)))
    assert Folder.parse(made.raw).raw == made.raw
    assert Folder.parse(made.raw).put({})[0].raw == made.raw


def test_a_block_that_grows_is_split_and_the_others_are_kept() -> None:
    """An edit costs what it touches: whoever reads the old folder still reads it."""
    folder, _ = EMPTY.put(dict(written(f"c{number:04}", (False, "0" * 40)) for number in range(4 * SIZE)))
    grown = folder
    for number in range(3 * SIZE):
        grown, _ = grown.put(dict([written(f"c0010-{number:04}", (False, "1" * 40))]))
    assert (folder.size, grown.size) == (4 * SIZE, 7 * SIZE)
    assert max(len(block.keys) for block in grown._blocks) <= 2 * SIZE
    assert grown._blocks[-1] is folder._blocks[-1]


@given(st.integers(0, 3 * SIZE), PUT, PUT)
def test_what_sets_two_folders_apart_is_what_their_bytes_say(
    many: int, one: dict[str, tuple[bool, str] | None], other: dict[str, tuple[bool, str] | None]
) -> None:
    """Grown from one folder, parsed anew, or in one block against several: what they share makes no difference."""
    base, _ = EMPTY.put(dict(written(f"b{number:03}", (False, f"{number:040x}")) for number in range(many)))
    left, _ = base.put(dict(written(name, entry) for name, entry in one.items()))
    right, _ = base.put(dict(written(name, entry) for name, entry in other.items()))
    parts = set(left.lines), set(right.lines)
    assert left.apart(right) == (parts[0] - parts[1], parts[1] - parts[0])
    if not any(key.endswith(b"/") and key[:-1] in set(left.keys) for key in left.keys):
        assert Folder.parse(left.raw).apart(right) == left.apart(right)
    assert all(b"%s %s\0%s" % split(found) == found for found in left.lines)
