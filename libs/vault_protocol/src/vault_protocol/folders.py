"""Trees as lists in git's order: an edit costs a binary search and one pass to join, at any size of a folder."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from .deltas import Line, Patch
from .errors import Refused
from .hub import REGULAR, BlobId
from .kept import Kept
from .tree import FOLDER, entries

KEPT = 1_000_000
"""Names in the folders that are kept parsed. Versions of a folder share the bytes of what they have in common."""

FOUND = 4096
"""Paths whose entry is remembered."""

_SUBMODULE, _PLAIN = b"160000 ", b"%o " % REGULAR

Write: TypeAlias = Callable[[str, bytes, Patch | None], str]
"""Kind and bytes of a new object, and what it was made from → its name."""


@dataclass(frozen=True)
class Folder:
    """`keys` are the names in git's order (a folder's with `/` behind it), `lines` the entries as they are written."""

    keys: tuple[bytes, ...]
    lines: tuple[bytes, ...]

    @classmethod
    def parse(cls, raw: bytes) -> Folder:
        """Raises BadTree."""
        found = entries(raw)
        keys = tuple(name.encode() + (b"/" if mode == FOLDER else b"") for name, (_, mode) in found.items())
        lines = tuple(_line(name.encode(), mode, oid) for name, (oid, mode) in found.items())
        return cls(keys, lines)

    def line(self, key: bytes) -> bytes | None:
        at = bisect_left(self.keys, key)
        return self.lines[at] if at < len(self.keys) and self.keys[at] == key else None

    def get(self, key: bytes) -> str | None:
        found = self.line(key)
        return None if found is None else found[-20:].hex()


def is_plain(line: bytes) -> bool:
    """Whether a line of a folder is of a plain file, or none."""
    return not line or line.startswith(_PLAIN)


EMPTY = Folder((), ())


class Folders:
    """Reads and edits trees by name. Every reading may raise BadTree, and what `read` raises."""

    def __init__(self, read: Callable[[str], bytes], write: Write) -> None:
        self._read, self._write = read, write
        self._parsed: Kept[str, Folder] = Kept(KEPT)
        self._found: Kept[tuple[str | None, str], bytes] = Kept(FOUND)

    def find(self, tree: str | None, path: str) -> BlobId | None:
        """The file at this path; None when there is none, or a folder, or another repository."""
        found = self._entry(tree, path)
        return BlobId(found[-20:].hex()) if found and not found.startswith(_SUBMODULE) else None

    def below(self, tree: str | None, path: str) -> str | None:
        """The folder at this path; None when there is none, or a file."""
        for folder in path.split("/") if path else ():
            tree = self._open(tree).get(folder.encode() + b"/")
        return tree

    def names(self, tree: str | None, path: str) -> tuple[str, ...]:
        """What lies in the folder at this path, folders with `/` behind their name."""
        return tuple(key.decode() for key in self._open(self.below(tree, path)).keys)

    def walk(self, tree: str | None, prefix: str = "") -> Iterator[tuple[str, BlobId]]:
        """Every file below, depth first, in git's order."""
        opened = self._open(tree)
        for key, line in zip(opened.keys, opened.lines, strict=True):
            name = prefix + key.decode()
            if key.endswith(b"/"):
                yield from self.walk(line[-20:].hex(), name)
            else:
                yield name, BlobId(line[-20:].hex())

    def edit(
        self, tree: str | None, edits: Mapping[str, object], prefix: str = "", met: dict[str, bytes] | None = None
    ) -> str | None:
        """The tree with these nested edits (blob ids, None, or folders of them); None when nothing is left.

        `met` is told of each file what stood there: its line, or nothing.
        Raises Refused where a file and a folder would share a name.
        """
        old = self._open(tree)
        keys, lines = list(old.keys), list(old.lines)
        differs: dict[bytes, Line] = {}
        for name, edit in edits.items():
            file, folder = name.encode(), name.encode() + b"/"
            if isinstance(edit, dict):
                if old.get(file) is not None:
                    raise Refused("path", prefix + name, "a folder and a file cannot have the same name")
                new = self.edit(old.get(folder), edit, f"{prefix}{name}/", met)
                differs[folder] = _put(keys, lines, folder, _line(file, FOLDER, new) if new else None)
                continue
            if edit is not None and old.get(folder) is not None:
                raise Refused("path", prefix + name, "a folder and a file cannot have the same name")
            differs[file] = _put(keys, lines, file, _line(file, REGULAR, str(edit)) if edit is not None else None)
            if met is not None:
                met[prefix + name] = differs[file][0] or b""
        if not keys:
            return None
        raw = b"".join(lines)
        patch = Patch(tree, tuple(line for _, line in sorted(differs.items()))) if tree is not None else None
        oid = self._write("tree", raw, patch)
        self._keep(oid, Folder(tuple(keys), tuple(lines)))
        return oid

    def _entry(self, tree: str | None, path: str) -> bytes:
        """Its line in its folder; nothing when it is not there. Asked for several times in a publish."""
        found = self._found.get((tree, path))
        if found is None:
            folder, _, name = path.rpartition("/")
            found = self._open(self.below(tree, folder)).line(name.encode()) or b""
            self._found.put((tree, path), found)
        return found

    def _open(self, tree: str | None) -> Folder:
        if tree is None:
            return EMPTY
        found = self._parsed.get(tree)
        if found is None:
            found = Folder.parse(self._read(tree))
            self._keep(tree, found)
        return found

    def _keep(self, tree: str, folder: Folder) -> None:
        self._parsed.put(tree, folder, len(folder.keys) + 1)


def object_id(kind: str, raw: bytes) -> str:
    """The name git gives an object (SHA-1 object format)."""
    return hashlib.sha1(b"%s %d\0" % (kind.encode(), len(raw)) + raw, usedforsecurity=False).hexdigest()


def _line(name: bytes, mode: int, oid: str) -> bytes:
    return b"%o %s\0%s" % (mode, name, bytes.fromhex(oid))


def _put(keys: list[bytes], lines: list[bytes], key: bytes, line: bytes | None) -> Line:
    """The line that stood there, and the one that does now."""
    at = bisect_left(keys, key)
    was = lines[at] if at < len(keys) and keys[at] == key else None
    if line is None:
        if was is not None:
            del keys[at], lines[at]
    elif was is not None:
        lines[at] = line
    else:
        keys.insert(at, key)
        lines.insert(at, line)
    return was, line
