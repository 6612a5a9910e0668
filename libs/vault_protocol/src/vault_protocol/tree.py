"""Git trees as bytes: parsed strictly, and compared with equal ids pruned, so the cost is what differs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

from .hub import REGULAR, BlobId, Change

FOLDER = 0o040000

DEPTH = 32
"""Folders below one another; a vault has a handful."""

FOLDERS_READ = 20_000
"""Folders one comparison may open. A tree of a few objects can unfold into billions of paths."""

_ENTRY = re.compile(rb"([0-7]{5,6}) ([^\0/]+)\0(.{20})", re.DOTALL)
_FOLDERS = frozenset({b"40000", b"040000"})

Entry: TypeAlias = tuple[str, int]
"""Object id in hex, and the mode as it is written (no library's idea of it)."""

Line: TypeAlias = tuple[bytes, bytes, bytes]
"""Mode, name and object id as they stand in a tree."""


class BadTree(ValueError):
    """A tree that git itself would not write: names twice, out of order or not UTF-8, too deep, too many."""


def entries(raw: bytes) -> dict[str, Entry]:
    """Name → entry. Raises BadTree."""
    return _named(listed(raw))


def listed(raw: bytes) -> list[Line]:
    """The entries as they are written. Raises BadTree."""
    found: list[Line] = _ENTRY.findall(raw)
    if sum(map(len, chain.from_iterable(found))) + 2 * len(found) != len(raw):
        raise BadTree("a folder in it does not parse")
    order = [name + b"/" if mode in _FOLDERS else name for mode, name, _ in found]
    if order != sorted(order):
        raise BadTree("the names of a folder in it are not in git's order")
    names = [name for _, name, _ in found]
    try:
        b"/".join(names).decode("utf-8")  # no name holds a slash, so each of them is judged by itself
    except UnicodeDecodeError:
        raise BadTree("a name in it is not UTF-8") from None
    if len(set(names)) != len(names):
        raise BadTree("a folder in it holds one name twice")
    return found


Apart: TypeAlias = Callable[[str | None, str | None], tuple[Iterable[Line], Iterable[Line], bool]]
"""Of two trees the lines that only one of them has, and whether the second has none at all. Raises BadTree."""


@dataclass
class Comparison:
    """One walk over what differs between two trees."""

    apart: Apart
    opened: int = 0

    def changes(self, old: str | None, new: str | None, prefix: str = "", depth: int = 0) -> Iterator[Change]:
        """Every path that differs, by name. Raises BadTree when there is no end to it."""
        if old == new:
            return
        if depth > DEPTH:
            raise BadTree(f"it is over {DEPTH} folders deep")
        self.opened += (old is not None) + (new is not None)
        if self.opened > FOLDERS_READ:
            raise BadTree(f"over {FOLDERS_READ} folders differ")
        only_before, only_after, empty = self.apart(old, new)
        if new is not None and empty and depth:
            raise BadTree("a folder in it is empty")
        before, after = _named(only_before), _named(only_after)
        for name in sorted(before.keys() | after.keys()):
            was, now = before.get(name), after.get(name)
            if was == now:
                continue  # one mode spelled in two ways
            path = prefix + name
            was_folder, was_file = _sides(was)
            now_folder, now_file = _sides(now)
            if was_file or now_file:
                yield Change(path, was_file, now_file, now[1] if now is not None and now_file else REGULAR)
            if was_folder or now_folder:
                yield from self.changes(was_folder, now_folder, path + "/", depth + 1)


def _named(lines: Iterable[Line]) -> dict[str, Entry]:
    return {name.decode("utf-8"): (oid.hex(), int(mode, 8)) for mode, name, oid in lines}


def _sides(entry: Entry | None) -> tuple[str | None, BlobId | None]:
    """(folder id, file id): one of them, or neither."""
    if entry is None:
        return None, None
    return (entry[0], None) if entry[1] == FOLDER else (None, BlobId(entry[0]))
