"""A mail passed on to somebody else: its words below a line that says so, and its files, as they were."""

from __future__ import annotations

import re

from correspondence.attachments import safe_name
from correspondence.characters import one_line
from correspondence.enclosing import File
from correspondence.mailbox import Mailbox
from correspondence.mime import read_parts
from correspondence.original import Original
from correspondence.text import file_parts

FORWARD_PREFIX = re.compile(r"(?:fwd?|wg|tr|rv|enc|vl|doorst)\s?[:\uff1a]\s?", re.IGNORECASE | re.ASCII)
LINE = "---------- Forwarded message ----------"
NO_FILE = ("multipart/", "message/")
"""Types that no file may have on its way: they would be read as a part of the mail around it."""


def forward_subject(subject: str) -> str:
    """The subject with one "Fwd: " before it, whatever kind of that it had."""
    rest = one_line(subject, set(), limit=len(subject))
    while match := FORWARD_PREFIX.match(rest):
        rest = rest[match.end() :].lstrip()
    return f"Fwd: {rest or '(no subject)'}"


def passed_on(original: Original) -> str:
    """Who wrote it, when, to whom and about what; a blank line; all that it says, with what it quoted."""
    head = [LINE]
    for name, boxes in (
        ("From", (original.sender,) if original.sender else ()), ("To", original.to), ("Cc", original.cc)
    ):  # fmt: skip
        head += [f"{name}: {', '.join(map(_shown, boxes))}"] if boxes else []
    head += [f"Date: {original.date:%Y-%m-%d %H:%M} UTC"] if original.date else []
    head.append(f"Subject: {original.subject}")
    said = [half for half in (original.text, original.quoted) if half]
    return "\n\n".join(["\n".join(head), *(said or ["(It has no text.)"])])


def files(raw: bytes, original: Original) -> tuple[File, ...]:
    """Its attached files by the names that `original` gives them, with their very bytes."""
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")
    _, _, parts = read_parts(raw, set())
    return tuple(
        File(
            safe_name(known.name, set()) or f"attachment-{number}.bin",
            "application/octet-stream" if known.media_type.startswith(NO_FILE) else known.media_type,
            part.content(set()),
        )
        for number, (part, known) in enumerate(zip(file_parts(parts), original.attachments, strict=True), 1)
    )


def _shown(box: Mailbox) -> str:
    return f"{box.name} <{box.address}>" if box.name else box.address
