"""A mail as bytes: the same arguments give the same bytes, on every machine and every Python."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import datetime

from correspondence.characters import CONTROL, NOT_A_CHARACTER
from correspondence.dates import write_date
from correspondence.enclosing import File, boundary_of, enclosed
from correspondence.fields import UnsafeMessage, id_words, line, mailbox_words, text_words
from correspondence.mailbox import Mailbox

LONGEST_PLAIN_LINE = 76
# Relays and mail stores change these: trailing spaces, "From " at the start of a line, a lone dot.
CHANGED_ON_THE_WAY = re.compile(r"[ \t]$|^From |^\.", re.MULTILINE)


def body(text: str, quote: str) -> str:
    """Text, a blank line, the quote, one final newline: what `message` carries, exactly."""
    return "\n\n".join(half for half in (text.rstrip("\n"), quote.rstrip("\n")) if half) + "\n"


def message(
    *,
    sender: Mailbox,
    to: Sequence[Mailbox],
    cc: Sequence[Mailbox] = (),
    bcc_not_in_headers: Sequence[Mailbox] = (),
    subject: str,
    in_reply_to: str | None = None,
    references: Sequence[str] = (),
    text: str,
    quote: str = "",
    files: Sequence[File] = (),
    message_id: str,
    date: datetime,
) -> bytes:
    """A mail in ASCII with CRLF line ends: text/plain, or multipart/mixed when files are enclosed.

    Raises UnsafeMessage rather than change a value.
    """
    mailbox_words(bcc_not_in_headers, "Bcc")
    if not (to or cc or bcc_not_in_headers):
        raise UnsafeMessage("To: a mail needs at least one recipient")
    if date.tzinfo is None:
        raise UnsafeMessage("Date: the date has no time zone")
    encoding, encoded = _encode(_checked_text(body(text, quote)))
    headers = [
        line("Date", write_date(date).split(" ")),
        line("From", mailbox_words([sender], "From")),
        line("To", mailbox_words(to, "To")) if to else "",
        line("Cc", mailbox_words(cc, "Cc")) if cc else "",
        line("Subject", text_words(subject, "Subject")),
        line("Message-ID", id_words([message_id], "Message-ID")),
        line("In-Reply-To", id_words([in_reply_to], "In-Reply-To")) if in_reply_to else "",
        line("References", id_words(references, "References")) if references else "",
        line("MIME-Version", ["1.0"]),
    ]
    text_headers = [
        line("Content-Type", ["text/plain;", 'charset="utf-8"']),
        line("Content-Transfer-Encoding", [encoding]),
    ]
    if not files:
        return "".join([*headers, *text_headers, "\r\n"]).encode("ascii") + encoded
    boundary = boundary_of(message_id, encoded, files)
    headers.append(line("Content-Type", ["multipart/mixed;", f'boundary="{boundary}"']))
    return "".join([*headers, "\r\n"]).encode("ascii") + enclosed(text_headers, encoded, files, boundary)


def _checked_text(text: str) -> str:
    if CONTROL.search(text) or NOT_A_CHARACTER.search(text):
        raise UnsafeMessage("text: control characters other than newline and tab cannot be sent unchanged")
    return text


def _encode(text: str) -> tuple[str, bytes]:
    content = text.encode("utf-8")
    longest = max(len(text_line) for text_line in text.split("\n"))
    if text.isascii() and longest <= LONGEST_PLAIN_LINE and not CHANGED_ON_THE_WAY.search(text):
        return "7bit", content.replace(b"\n", b"\r\n")
    if sum(byte > 126 for byte in content) * 6 > len(content):
        encoded = base64.b64encode(content.replace(b"\n", b"\r\n"))
        lines = [encoded[start : start + 76] for start in range(0, len(encoded), 76)]
        return "base64", b"\r\n".join([*lines, b""])
    return "quoted-printable", _quoted_printable(content)


def _quoted_printable(content: bytes) -> bytes:
    lines = []
    for text_line in content.split(b"\n"):
        encoded = binascii.b2a_qp(text_line).replace(b"\n", b"\r\n")
        lines.append(b"=46" + encoded[1:] if encoded.startswith(b"From ") else encoded)
    return b"\r\n".join(lines)
