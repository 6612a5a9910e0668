"""A folder in blocks is the folder that a plain dictionary makes, whatever is put where."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vault_protocol.blocks import EMPTY, SIZE, Folder, line, split
from vault_protocol.hub import REGULAR
from vault_protocol.tree import FOLDER, BadTree

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


@settings(max_examples=300)
@given(st.integers(0, 8 * SIZE), st.lists(st.tuples(st.integers(0, 10 * SIZE), st.booleans()), max_size=30))
def test_a_folder_that_was_written_anew_is_read_by_what_it_shares_as_it_would_be_read_alone(
    many: int, edits: list[tuple[int, bool]]
) -> None:
    base, _ = EMPTY.put(dict(written(f"b{number:04}", (False, _id(number))) for number in range(many)))
    changed = dict(written(f"b{number:04}", (False, _id(-number)) if stays else None) for number, stays in edits)
    raw = base.put(changed)[0].raw
    found = base.parse_like(raw)
    assert (found.raw, list(found.keys), list(found.lines)) == _read_alone(raw)
    assert found.apart(base) == (set(found.lines) - set(base.lines), set(base.lines) - set(found.lines))


def test_what_a_folder_shares_with_another_is_not_parsed_again() -> None:
    base, _ = EMPTY.put(dict(written(f"b{number:04}", (False, _id(number))) for number in range(40 * SIZE)))
    places = (7, 9 * SIZE, 9 * SIZE + 70, 39 * SIZE)
    raw = base.put(dict(written(f"b{number:04}-", (False, _id(number))) for number in places))[0].raw
    found = base.parse_like(raw)
    assert len({*found._blocks} - {*base._blocks}) <= len(places)
    assert found.raw == raw


@pytest.mark.parametrize("fault", ["a name twice", "out of order", "a file and a folder", "cut off", "not UTF-8"])
@pytest.mark.parametrize("place", [0, 3 * SIZE, 6 * SIZE])
def test_a_folder_with_a_fault_is_refused_beside_another_in_the_words_that_it_is_refused_in_alone(
    fault: str, place: int
) -> None:
    lines = [written(f"b{number:04}", (False, _id(number))) for number in range(6 * SIZE + 1)]
    base, _ = EMPTY.put(dict(lines))
    wrong = [line for _, line in lines if line]
    there = wrong[place]
    match fault:
        case "a name twice":
            wrong.insert(place, there)
        case "out of order":
            wrong.insert(place, line(b"zz", REGULAR, "0" * 40))
            wrong.append(line(b"zzz", REGULAR, "0" * 40))
        case "a file and a folder":
            wrong.append(line(split(there)[1], FOLDER, "0" * 40))
            wrong = wrong if place == 6 * SIZE else [*wrong[: place + 1], wrong[-1], *wrong[place + 1 : -1]]
        case "cut off":
            wrong[place] = there[:-3]
        case "not UTF-8":
            wrong.insert(place + 1, line(b"b%04d\xff" % place, REGULAR, "0" * 40))
    raw = b"".join(wrong)
    with pytest.raises(BadTree) as alone:
        Folder.parse(raw)
    with pytest.raises(BadTree, match=str(alone.value)):
        base.parse_like(raw)


def test_a_file_and_a_folder_far_from_one_another_do_not_have_the_same_name() -> None:
    """Between `a` and `a/` there is room for every name that begins with `a` and a sign before the slash."""
    base, _ = EMPTY.put(dict(written(f"a-{number:04}", (False, _id(number))) for number in range(5 * SIZE)))
    file, folder = line(b"a", REGULAR, "0" * 40), line(b"a", FOLDER, "0" * 40)
    assert Folder.parse(file + base.raw).raw == base.parse_like(file + base.raw).raw
    for known, raw in (
        (base, file + base.raw + folder),
        (Folder.parse(file + base.raw), file + base.raw + folder),
        (Folder.parse(base.raw + folder), file + base.raw + folder),
    ):
        with pytest.raises(BadTree, match="twice"):
            known.parse_like(raw)


def test_bytes_of_a_block_within_a_name_of_an_object_are_no_block() -> None:
    """Nobody finds content with such a name; if somebody did, the folder would be read as it is all the same."""
    inner = line(b"b", REGULAR, _id(7))
    base = Folder.parse(inner)
    head, tail = inner[:20], inner[20:]
    raw = b"100644 a\0" + head + b"100644 aa\0" + (tail + bytes(20))[:20]
    assert base.parse_like(raw).raw == Folder.parse(raw).raw == raw


def _id(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()[:40]


def _read_alone(raw: bytes) -> tuple[bytes, list[bytes], list[bytes]]:
    found = Folder.parse(raw)
    return found.raw, list(found.keys), list(found.lines)
