"""Packs written durably: objects, as they are or already deflated, to one `.pack` and `.idx` that git reads.

Formats: git's gitformat-pack, version 2 of both. A folder that changed twice in one pack is there once in full, and as
what differs.
"""

from __future__ import annotations

import hashlib
import os
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from .deltas import Patch, delta
from .files import sync_all, sync_folder

_KINDS = {"commit": 1, "tree": 2, "blob": 3}
_DELTA = 7
"""Named by its base, which is in the same pack."""

INCOMPRESSIBLE = 4 * 1024
"""Bytes from which a tree is stored, not deflated: it is object names, and deflating them costs more than the write.
git makes deltas of them when it repacks."""

DEPTH = 32
"""Deltas upon deltas; each is one more object to read."""

SMALL = 256
"""Bytes of a tree up to which a delta saves nothing."""

_SHORT = 4 * 1024
_WINDOW = {True: (12, 4), False: (15, 8)}
"""Of a short object, and of any other: bits of the window, and zlib's level of memory. To set up the large window takes
ten times as long as to deflate a note."""


@dataclass(frozen=True)
class Entry:
    """One object as it stands in a pack."""

    oid: str
    packed: bytes
    crc: int

    @classmethod
    def of(cls, oid: str, kind: str, raw: bytes) -> Entry:
        level = 0 if kind == "tree" and len(raw) > INCOMPRESSIBLE else 1
        packed = _header(_KINDS[kind], len(raw)) + _deflated(raw, level)
        return cls(oid, packed, zlib.crc32(packed))

    @classmethod
    def on(cls, base: str, oid: str, made: bytes) -> Entry:
        """The object that this delta makes of another one, which has to be in the same pack."""
        packed = _header(_DELTA, len(made)) + bytes.fromhex(base) + _deflated(made, 1)
        return cls(oid, packed, zlib.crc32(packed))


def entries(objects: Mapping[str, tuple[str, bytes]], patches: Mapping[str, Patch]) -> list[Entry]:
    """Objects by name for one pack. `patches` says of trees which other they were made from."""
    depths: dict[str, int] = {}
    found = []
    for oid, (kind, raw) in objects.items():
        entry, depth, patch = None, 0, patches.get(oid)
        if patch is not None and len(raw) > SMALL and depths.get(patch.base, DEPTH) < DEPTH:
            made = delta(objects[patch.base][1], raw, patch.lines)
            if made is not None and len(made) < len(raw) // 2:
                entry, depth = Entry.on(patch.base, oid, made), depths[patch.base] + 1
        found.append(entry or Entry.of(oid, kind, raw))
        depths[oid] = depth  # only what came before can be a base: no circle
    return found


def write(
    folder: Path, entries: Sequence[Entry], step: Callable[[str], None] = lambda name: None, *, durable: bool = True,
    along: Sequence[int] = (),
) -> str:  # fmt: skip
    """A pack of these objects, each once, in `folder` (objects/pack). Returns its name without suffix.

    When it returns, both files are there under their names, and if `durable`, on disk, with the open files `along`.
    Raises OSError; then only temporary files are left, and of those none that could be removed.
    """
    ordered = sorted({entry.oid: entry for entry in entries}.values(), key=lambda entry: entry.oid)
    body = [b"PACK" + struct.pack(">II", 2, len(ordered))]
    offsets, at = [], 12
    for entry in ordered:
        offsets.append(at)
        body.append(entry.packed)
        at += len(entry.packed)
    pack = b"".join(body)
    check = hashlib.sha1(pack, usedforsecurity=False)
    index = _index(ordered, offsets, check.digest())
    name = f"pack-{check.hexdigest()}"
    named = f"{folder}/{name}"
    there = os.path.exists(named + ".idx")
    temporary: list[str] = []
    try:
        with ExitStack() as opened:
            for content in (pack + check.digest(), index):
                handle, made = _written(folder, content)
                opened.callback(os.close, handle)
                temporary.append(made)
                along = (*along, handle)
                if durable:
                    step("written, not synced")
            if durable:
                sync_all(along)
        os.rename(temporary[0], named + ".pack")
        step("pack written")
        try:
            os.rename(temporary[1], named + ".idx")
        except BaseException:
            if not there:
                (folder / (name + ".pack")).unlink(missing_ok=True)
            raise
    except BaseException:
        for made in temporary:
            Path(made).unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(folder)
        step("pack durable")
    return name


def read(folder: Path, name: str) -> list[Entry]:
    """The entries of a pack that `write` wrote. Raises OSError."""
    pack, index = ((folder / (name + suffix)).read_bytes() for suffix in (".pack", ".idx"))
    (count,) = struct.unpack_from(">I", index, 8 + 255 * 4)
    at = 8 + 256 * 4
    oids = [index[at + 20 * number : at + 20 * number + 20].hex() for number in range(count)]
    at += 20 * count
    crcs = struct.unpack_from(f">{count}I", index, at)
    offsets = struct.unpack_from(f">{count}I", index, at + 4 * count)
    ends = dict(pairwise([*sorted(offsets), len(pack) - 20]))
    return [Entry(oid, pack[offset : ends[offset]], crc) for oid, crc, offset in zip(oids, crcs, offsets, strict=True)]


def sync(folder: Path, names: Iterable[str]) -> None:
    """Make packs durable that were written without. Raises OSError; one that is gone was written again elsewhere."""
    with ExitStack() as opened:
        handles = []
        for name in names:
            for suffix in (".pack", ".idx"):
                with suppress(FileNotFoundError):
                    handles.append(opened.enter_context((folder / (name + suffix)).open("rb")).fileno())
        sync_all(handles)
    sync_folder(folder)


def remove(folder: Path, names: Iterable[str]) -> None:
    """Take packs away whose objects are in another one."""
    for name in names:
        for suffix in (".idx", ".pack"):  # without its index a pack is nothing to git
            (folder / (name + suffix)).unlink(missing_ok=True)


def _written(folder: Path, content: bytes) -> tuple[int, str]:
    """A temporary file that holds this, open still. Raises OSError; then it is gone, if it could be removed."""
    handle, made = tempfile.mkstemp(prefix="tmp_", dir=folder)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(handle, left) :]
        os.fchmod(handle, 0o444)
    except BaseException:
        os.close(handle)
        Path(made).unlink(missing_ok=True)
        raise
    return handle, made


def _index(ordered: Sequence[Entry], offsets: Sequence[int], check: bytes) -> bytes:
    fan, counts = [0] * 256, 0
    for entry in ordered:
        fan[int(entry.oid[:2], 16)] += 1
    for first, number in enumerate(fan):
        counts += number
        fan[first] = counts
    if offsets and offsets[-1] >= 1 << 31:
        raise OSError(27, "a pack of 2 GiB or more")
    body = b"".join(
        (
            b"\377tOc" + struct.pack(">I", 2),
            struct.pack(">256I", *fan),
            b"".join(bytes.fromhex(entry.oid) for entry in ordered),
            struct.pack(f">{len(ordered)}I", *(entry.crc for entry in ordered)),
            struct.pack(f">{len(ordered)}I", *offsets),
            check,
        )
    )
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def _deflated(raw: bytes, level: int) -> bytes:
    made = zlib.compressobj(level, zlib.DEFLATED, *_WINDOW[len(raw) <= _SHORT])
    return made.compress(raw) + made.flush()


def _header(kind: int, size: int) -> bytes:
    first, size = kind << 4 | size & 15, size >> 4
    found = bytearray()
    while size:
        found.append(first | 0x80)
        first, size = size & 0x7F, size >> 7
    found.append(first)
    return bytes(found)
