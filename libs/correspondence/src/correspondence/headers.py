"""The header fields of a message or part: found, unfolded and decoded, all of it bounded."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass

from correspondence.charset import decode
from correspondence.oddity import Oddity
from correspondence.transfer import base64_bytes

MOST_LINES = 2_000
MOST_BYTES = 256_000
LONGEST_VALUE = 100_000
FIELD_NAME = re.compile(rb"[!-9;-~]{1,100}[ \t]*:")
ENCODED_WORD = re.compile(r"=\?([^?\s*]{1,60})(?:\*[^?\s]{0,20})?\?([bBqQ])\?([^?]*)\?=")


@dataclass(frozen=True)
class Headers:
    """Fields in order: lower-case name, unfolded value that is not yet decoded (RFC 2047)."""

    fields: tuple[tuple[str, str], ...]

    def first(self, name: str) -> str:
        """The first value of a field, empty when there is none."""
        return next((value for known, value in self.fields if known == name), "")

    def count(self, name: str) -> int:
        """How often a field occurs."""
        return sum(known == name for known, _ in self.fields)


def read_headers(raw: bytes, start: int, end: int, found: set[Oddity]) -> tuple[Headers, int]:
    """The header block at `start`, and where the body begins."""
    fields: list[tuple[str, list[bytes]]] = []
    position = start
    for _ in range(MOST_LINES):
        line_end = raw.find(b"\n", position, end)
        after = end if line_end < 0 else line_end + 1
        line = raw[position : min(after, position + LONGEST_VALUE)].rstrip(b"\r\n")
        if position >= end or not line.strip():
            return _headers(fields, found), after if position < end else end
        if after - start > MOST_BYTES:
            break
        if line[:1] in b" \t" and fields:
            fields[-1][1].append(line)
        elif match := FIELD_NAME.match(line):
            name = match.group()[:-1].strip().decode("ascii").lower()
            fields.append((name, [line[match.end() :]]))
        elif position == start and line.startswith((b"From ", b">From ")):
            pass
        else:
            found.add(Oddity.BROKEN_MIME)
            return _headers(fields, found), position
        position = after
    found.add(Oddity.HUGE)
    blank = re.compile(rb"\n\r?\n").search(raw, position, end)
    return _headers(fields, found), blank.end() if blank else end


def _headers(fields: list[tuple[str, list[bytes]]], found: set[Oddity]) -> Headers:
    return Headers(tuple((name, _value(b"".join(lines), found)) for name, lines in fields))


def _value(value: bytes, found: set[Oddity]) -> str:
    if len(value) > LONGEST_VALUE:
        found.add(Oddity.HUGE)
    return decode(value.strip(), "", found, limit=LONGEST_VALUE)


def decode_words(value: str, found: set[Oddity]) -> str:
    """A header with its encoded words (RFC 2047) decoded, neighbours of one charset joined as bytes."""
    pieces: list[str] = []
    pending, charset, position = b"", "", 0
    for match in ENCODED_WORD.finditer(value):
        between = value[position : match.start()]
        if pending and (between.strip() or match[1].lower() != charset):
            pieces.append(decode(pending, charset, found, limit=LONGEST_VALUE))
            pending = b""
        if between.strip() or not position:
            pieces.append(between)
        charset = match[1].lower()
        pending += _word(match[2], match[3], found)
        position = match.end()
    if pending:
        pieces.append(decode(pending, charset, found, limit=LONGEST_VALUE))
    return "".join([*pieces, value[position:]])


def _word(encoding: str, text: str, found: set[Oddity]) -> bytes:
    payload = text.encode("utf-8", "replace")
    if encoding in "qQ":
        return binascii.a2b_qp(payload.replace(b" ", b"_"), header=True)
    return base64_bytes(payload, found)
