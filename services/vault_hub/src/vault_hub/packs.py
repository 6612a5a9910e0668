"""Packs written durably: objects, as they are or already deflated, to one `.pack` and `.idx` that git reads.

Formats: git's gitformat-pack, version 2 of both, no deltas.
"""

from __future__ import annotations

import hashlib
import os
import struct
import tempfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vault_protocol.files import sync_folder

_KINDS = {"commit": 1, "tree": 2, "blob": 3}

INCOMPRESSIBLE = 64 * 1024
"""Bytes from which a tree is stored, not deflated: it is object names, and deflating them costs more than the write."""


@dataclass(frozen=True)
class Entry:
    """One object as it stands in a pack."""

    oid: str
    packed: bytes
    crc: int

    @classmethod
    def of(cls, oid: str, kind: str, raw: bytes) -> Entry:
        level = 0 if kind == "tree" and len(raw) > INCOMPRESSIBLE else 1
        packed = _header(_KINDS[kind], len(raw)) + zlib.compress(raw, level)
        return cls(oid, packed, zlib.crc32(packed))


def write(folder: Path, entries: Sequence[Entry], step: Callable[[str], None] = lambda name: None) -> str:
    """A pack of these objects, each once, in `folder` (objects/pack). Returns its name without suffix.

    When it returns, both files are on disk under their names. Raises OSError; then only temporary files are left,
    and of those none that could be removed.
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
    there = (folder / (name + ".idx")).exists()
    _place(folder, name + ".pack", pack + check.digest(), step)
    step("pack written")
    try:
        _place(folder, name + ".idx", index, step)
    except BaseException:
        if not there:
            (folder / (name + ".pack")).unlink(missing_ok=True)
        raise
    sync_folder(folder)
    step("pack durable")
    return name


def _place(folder: Path, name: str, content: bytes, step: Callable[[str], None]) -> None:
    handle, made = tempfile.mkstemp(prefix="tmp_", dir=folder)
    temporary = Path(made)
    try:
        try:
            left = memoryview(content)
            while left:
                left = left[os.write(handle, left) :]
            os.fchmod(handle, 0o444)
            step("written, not synced")
            os.fsync(handle)
        finally:
            os.close(handle)
        temporary.rename(folder / name)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


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


def _header(kind: int, size: int) -> bytes:
    first, size = kind << 4 | size & 15, size >> 4
    found = bytearray()
    while size:
        found.append(first | 0x80)
        first, size = size & 0x7F, size >> 7
    found.append(first)
    return bytes(found)
