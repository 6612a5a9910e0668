"""Trees by name, read and edited: what was parsed is kept, and an edit costs what it touches and one hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from . import blocks
from .blocks import EMPTY, Folder
from .deltas import Patch
from .errors import Refused
from .hub import REGULAR, BlobId
from .kept import Kept
from .tree import FOLDER, Line

KEPT = 500_000
"""Names in the folders that are kept parsed, some 230 bytes each; versions made here share what they have in common."""

FOUND = 4096
"""Paths whose entry is remembered."""

LARGEST_TREE = 32 * 1024 * 1024
"""Bytes of one tree. A larger one is not read by whoever follows, so none is written."""

_SUBMODULE, _PLAIN = b"160000 ", b"%o " % REGULAR

Write: TypeAlias = Callable[[str, bytes, Patch | None], str]
"""Kind and bytes of a new object, and what it was made from → its name."""


def is_plain(line: bytes) -> bool:
    """Whether a line of a folder is of a plain file, or none."""
    return not line or line.startswith(_PLAIN)


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

    def apart(self, old: str | None, new: str | None) -> tuple[list[Line], list[Line], bool]:
        """What a comparison of trees asks for."""
        before = self._open(old)
        after = self._open(new, before)
        gone, came = before.apart(after)
        return list(map(blocks.split, gone)), list(map(blocks.split, came)), not after.size

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
        Raises Refused where a file and a folder would share a name, and for a folder of too many names.
        """
        old = self._open(tree)
        lines: dict[bytes, bytes | None] = {}
        for name, edit in edits.items():
            file, folder = name.encode(), name.encode() + b"/"
            if isinstance(edit, dict):
                if old.get(file) is not None:
                    raise Refused("path", prefix + name, "a folder and a file cannot have the same name")
                new = self.edit(old.get(folder), edit, f"{prefix}{name}/", met)
                lines[folder] = blocks.line(file, FOLDER, new) if new else None
                continue
            if edit is not None and old.get(folder) is not None:
                raise Refused("path", prefix + name, "a folder and a file cannot have the same name")
            lines[file] = blocks.line(file, REGULAR, str(edit)) if edit is not None else None
            if met is not None:
                met[prefix + name] = old.line(file) or b""
        made, differs = old.put(lines)
        if not made.size:
            return None
        raw = made.raw
        if len(raw) > LARGEST_TREE:
            raise Refused("size", prefix.rstrip("/"), f"its list of names would have over {LARGEST_TREE} bytes")
        oid = self._write("tree", raw, Patch(tree, differs) if tree is not None else None)
        self._keep(oid, made)
        return oid

    def _entry(self, tree: str | None, path: str) -> bytes:
        """Its line in its folder; nothing when it is not there. Asked for several times in a publish."""
        found = self._found.get((tree, path))
        if found is None:
            folder, _, name = path.rpartition("/")
            found = self._open(self.below(tree, folder)).line(name.encode()) or b""
            self._found.put((tree, path), found)
        return found

    def _open(self, tree: str | None, like: Folder = EMPTY) -> Folder:
        """`like`: another folder that it shares much with."""
        if tree is None:
            return EMPTY
        found = self._parsed.get(tree)
        if found is None:
            found = like.parse_like(self._read(tree))
            self._keep(tree, found)
        return found

    def _keep(self, tree: str, folder: Folder) -> None:
        self._parsed.put(tree, folder, folder.size + 1)


def object_id(kind: str, raw: bytes) -> str:
    """The name git gives an object (SHA-1 object format)."""
    found = hashlib.sha1(b"%s %d\0" % (kind.encode(), len(raw)), usedforsecurity=False)
    found.update(raw)
    return found.hexdigest()
