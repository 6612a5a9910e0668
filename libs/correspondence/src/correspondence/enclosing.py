"""Files in a mail: the bodies of a multipart/mixed, a pure function of what they hold and of the Message-ID."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from correspondence.attachments import MEDIA_TYPE
from correspondence.characters import BIDI, INVISIBLE, LINE_BREAKING, NOT_A_CHARACTER
from correspondence.fields import UnsafeMessage, line

LONGEST_NAME = 150
_CHARSET = "utf-8''"


@dataclass(frozen=True)
class File:
    """What is enclosed: the name the other side sees, its type, and its bytes."""

    name: str
    media_type: str
    content: bytes


def boundary_of(message_id: str, text: bytes, files: Sequence[File]) -> str:
    """A line that no part can hold: base64 has no `=_`, and the text is looked through."""
    seen = hashlib.sha256(message_id.encode())
    for part in (text, *(file.content for file in files)):
        seen.update(hashlib.sha256(part).digest())
    boundary = f"=_{seen.hexdigest()[:40]}"
    if boundary.encode() in text:
        raise UnsafeMessage("text: it holds the line that parts the mail")
    return boundary


def enclosed(text_headers: Sequence[str], text: bytes, files: Sequence[File], boundary: str) -> bytes:
    """The body: the text, then each file, CRLF line ends throughout."""
    opening = f"--{boundary}\r\n".encode("ascii")
    written = opening + "".join([*text_headers, "\r\n"]).encode("ascii") + text + b"\r\n"
    for file in files:
        written += opening + _headers(file) + _base64(file.content) + b"\r\n"
    return written + f"--{boundary}--\r\n".encode("ascii")


def _headers(file: File) -> bytes:
    if not MEDIA_TYPE.fullmatch(file.media_type) or file.media_type.startswith(("multipart/", "message/")):
        raise UnsafeMessage("attachment: its media type cannot be sent as a file")
    headers = [
        line("Content-Type", [file.media_type]),
        line("Content-Transfer-Encoding", ["base64"]),
        line("Content-Disposition", ["attachment;", *_filename(file.name)]),
        "\r\n",
    ]
    return "".join(headers).encode("ascii")


def _filename(name: str) -> list[str]:
    if not name.strip(" .") or name != name.strip() or len(name) > LONGEST_NAME or "/" in name or "\\" in name:
        raise UnsafeMessage("attachment: its name is empty, too long, begins or ends in a space, or names a folder")
    for pattern in (LINE_BREAKING, NOT_A_CHARACTER, BIDI, INVISIBLE):
        if pattern.search(name):
            raise UnsafeMessage("attachment: its name holds characters that a reader does not see")
    if name.isascii() and "\t" not in name and len(name) < 60:
        escaped = name.replace('"', '\\"')
        return [f'filename="{escaped}"']
    return _in_pieces(quote(name, safe=""))


def _in_pieces(encoded: str) -> list[str]:
    """RFC 2231: percent-encoded UTF-8, in pieces that fit a line."""
    pieces, rest = [], encoded
    while rest:
        cut = 50
        while cut < len(rest) and ("%" in rest[cut - 2 : cut]):
            cut -= 1
        pieces.append(rest[:cut])
        rest = rest[cut:]
    if len(pieces) == 1:
        return [f"filename*={_CHARSET}{pieces[0]}"]
    last = len(pieces) - 1
    return [
        f"filename*{number}*={_CHARSET if number == 0 else ''}{piece}{';' if number < last else ''}"
        for number, piece in enumerate(pieces)
    ]


def _base64(content: bytes) -> bytes:
    encoded = base64.b64encode(content)
    return b"\r\n".join(encoded[start : start + 76] for start in range(0, len(encoded), 76))
