"""A tree as blocks of lines in git's order: an edit copies the blocks it touches and takes the others as they are."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from .deltas import Line
from .tree import FOLDER, BadTree, entries

SIZE = 64
"""Lines that a block has at least where there are enough of them; it is split when it holds over twice as many."""

NEAR, AHEAD = 64 * 1024, 4
"""Bytes and blocks within which a folder that was written anew is looked through for what it shares with another."""


class _Block:
    """Some lines that follow one another, and all of them joined."""

    __slots__ = ("keys", "lines", "raw")

    def __init__(self, keys: Sequence[bytes], lines: Sequence[bytes]) -> None:
        self.keys, self.lines, self.raw = keys, lines, b"".join(lines)

    def find(self, key: bytes) -> int | None:
        at = bisect_left(self.keys, key)
        return at if at < len(self.keys) and self.keys[at] == key else None


class Folder:
    """A tree by name, never changed. `keys` are the names in git's order (a folder's with `/` behind it), `lines` the
    entries as they are written, `size` how many there are."""

    __slots__ = ("_blocks", "_firsts", "size")

    def __init__(self, blocks: Sequence[_Block] = ()) -> None:
        self._blocks = blocks
        self._firsts = [block.keys[0] for block in blocks]
        self.size = sum([len(block.keys) for block in blocks])

    @classmethod
    def parse(cls, raw: bytes) -> Folder:
        """Raises BadTree."""
        return cls(_parsed(raw))

    def parse_like(self, raw: bytes) -> Folder:
        """As `parse` makes it, with the blocks of this one that stand in it: what they share is not parsed again.

        Raises BadTree.
        """
        if not self._blocks:
            return Folder.parse(raw)
        try:
            found, fresh = self._matched(raw)
        except BadTree:
            return Folder.parse(raw)
        ends = zip([block.keys[-1] for block in found._blocks], found._firsts[1:], strict=False)
        twins = (key[:-1] if key.endswith(b"/") else key + b"/" for block in fresh for key in block.keys)
        if any(last >= first for last, first in ends) or any(found.line(twin) for twin in twins):
            return Folder.parse(raw)  # which says what is wrong with it
        return found

    def _matched(self, raw: bytes) -> tuple[Folder, list[_Block]]:
        """What `raw` says if it is well-formed across blocks too, and the blocks that were parsed for it."""
        blocks: list[_Block] = []
        fresh: list[_Block] = []
        at = which = 0
        while at < len(raw):
            if which < len(self._blocks) and raw.startswith(self._blocks[which].raw, at):
                blocks.append(self._blocks[which])
                at += len(self._blocks[which].raw)
                which += 1
                continue
            end, which = self._next(raw, at, which)
            parsed = _parsed(raw[at:end])
            blocks += parsed
            fresh += parsed
            at = end
        return Folder(blocks), fresh

    def _next(self, raw: bytes, at: int, which: int) -> tuple[int, int]:
        """Where in `raw` the next of our blocks begins that stands in it, and which one that is."""
        near = at + NEAR
        for ahead, block in enumerate(self._blocks[which : which + AHEAD], which):
            near += 2 * len(block.raw)
            found = raw.find(block.raw, at, near)
            if found >= 0:
                return found, ahead
        return len(raw), len(self._blocks)

    @property
    def keys(self) -> Iterator[bytes]:
        return chain.from_iterable(block.keys for block in self._blocks)

    @property
    def lines(self) -> Iterator[bytes]:
        return chain.from_iterable(block.lines for block in self._blocks)

    @property
    def raw(self) -> bytes:
        return b"".join([block.raw for block in self._blocks])

    def line(self, key: bytes) -> bytes | None:
        block = self._blocks[self._which(key)] if self._blocks else _NOTHING
        at = block.find(key)
        return None if at is None else block.lines[at]

    def get(self, key: bytes) -> str | None:
        found = self.line(key)
        return None if found is None else found[-20:].hex()

    def apart(self, other: Folder) -> tuple[set[bytes], set[bytes]]:
        """The lines that only this one has, and those that only the other has. What blocks they share is not read."""
        here, there = {id(block) for block in self._blocks}, {id(block) for block in other._blocks}
        ours = {line for block in self._blocks if id(block) not in there for line in block.lines}
        others = {line for block in other._blocks if id(block) not in here for line in block.lines}
        return ours - others, others - ours

    def put(self, lines: Mapping[bytes, bytes | None]) -> tuple[Folder, tuple[Line, ...]]:
        """The folder with these lines in the place of what stands there (None: with nothing); and by name, what stood
        there and what does now."""
        met: list[Line] = []
        if len(self._blocks) < 2:
            only = self._blocks[0] if self._blocks else _NOTHING
            return Folder(_put(only, sorted(lines), lines, met)), tuple(met)
        touched: dict[int, list[bytes]] = {}
        for key in sorted(lines):
            touched.setdefault(self._which(key), []).append(key)
        blocks: list[_Block] = []
        done = 0
        for which, keys in touched.items():
            blocks += self._blocks[done:which]
            blocks += _put(self._blocks[which], keys, lines, met)
            done = which + 1
        blocks += self._blocks[done:]
        return Folder(blocks), tuple(met)

    def _which(self, key: bytes) -> int:
        return max(bisect_right(self._firsts, key) - 1, 0)


EMPTY = Folder()
_NOTHING = _Block((), ())


def line(name: bytes, mode: int, oid: str) -> bytes:
    """An entry as it is written."""
    return b"%o %s\0%s" % (mode, name, bytes.fromhex(oid))


def split(line: bytes) -> tuple[bytes, bytes, bytes]:
    """Mode, name and object id of an entry as it is written."""
    mode, _, rest = line.partition(b" ")
    return mode, rest[:-21], rest[-20:]


def _put(block: _Block, keys: Sequence[bytes], new: Mapping[bytes, bytes | None], met: list[Line]) -> Sequence[_Block]:
    """What comes in the place of a block; `met` is told what stood there."""
    names, lines = list(block.keys), list(block.lines)
    for key in keys:
        at, came = bisect_left(names, key), new[key]
        gone = lines[at] if at < len(names) and names[at] == key else None
        met.append((gone, came))
        end = at if gone is None else at + 1
        names[at:end], lines[at:end] = ([], []) if came is None else ([key], [came])
    return _blocks(names, lines)


def _parsed(raw: bytes) -> Sequence[_Block]:
    """Raises BadTree."""
    found = entries(raw)
    keys = [name.encode() + (b"/" if mode == FOLDER else b"") for name, (_, mode) in found.items()]
    return _blocks(keys, [line(name.encode(), mode, oid) for name, (oid, mode) in found.items()])


def _blocks(keys: Sequence[bytes], lines: Sequence[bytes]) -> Sequence[_Block]:
    """Of one size but for the last: at most twice SIZE, and not under it where there are enough."""
    size = -(-len(keys) // max(1, (len(keys) - 1) // SIZE)) or 1
    return [_Block(keys[at : at + size], lines[at : at + size]) for at in range(0, len(keys), size)]
