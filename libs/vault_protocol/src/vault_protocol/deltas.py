"""A tree as git's delta of the one before it: what a change of one line takes on disk does not grow with the folder.

Format: git's gitformat-pack, "deltified representation".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

COPY_MOST, INSERT_MOST = 0xFFFFFF, 0x7F
"""Bytes that one instruction copies from the old content, and that it brings along."""

Line: TypeAlias = tuple[bytes | None, bytes | None]
"""One entry that went, came, or stands for another now."""


@dataclass(frozen=True)
class Patch:
    """What a tree was made from: the one before it, and the lines that differ, in the order in which they stand."""

    base: str
    lines: tuple[Line, ...]


def delta(old: bytes, new: bytes, lines: Sequence[Line]) -> bytes | None:
    """What makes `new` of `old`; None when these lines are not all that differs."""
    pieces = list(_pieces(old, new, lines))
    if b"".join(brought or old[begin:end] for brought, begin, end in pieces) != new:
        return None
    body = [_size(len(old)), _size(len(new))]
    for brought, begin, end in pieces:
        body += _inserts(brought) if brought else _copies(begin, end)
    return b"".join(body)


def _pieces(old: bytes, new: bytes, lines: Sequence[Line]) -> Iterator[tuple[bytes, int, int]]:
    """Bytes that are brought, or a range of the old ones."""
    at_old = at_new = 0
    for gone, came in lines:
        if gone is not None:
            same = old.find(gone, at_old) - at_old
        else:
            same = new.find(came or b"", at_new) - at_new
        if same < 0:
            return
        if same:
            yield b"", at_old, at_old + same
        if came:
            yield came, 0, 0
        at_old += same + len(gone or b"")
        at_new += same + len(came or b"")
    if at_old < len(old):
        yield b"", at_old, len(old)


def _inserts(content: bytes) -> Iterator[bytes]:
    for at in range(0, len(content), INSERT_MOST):
        part = content[at : at + INSERT_MOST]
        yield bytes([len(part)]) + part


def _copies(begin: int, end: int) -> Iterator[bytes]:
    for at in range(begin, end, COPY_MOST):
        size = min(end - at, COPY_MOST)
        code, body = 0x80, bytearray()
        for bit, byte in enumerate((*at.to_bytes(4, "little"), *size.to_bytes(3, "little"))):
            if byte:
                code |= 1 << bit
                body.append(byte)
        yield bytes([code]) + body


def _size(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)
