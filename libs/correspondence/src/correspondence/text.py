"""The readable text of a message: which of its parts is the body, and what that says."""

from __future__ import annotations

import re
from collections.abc import Sequence

from correspondence.characters import clean
from correspondence.charset import decode
from correspondence.markup import html_to_text
from correspondence.mime import Part
from correspondence.oddity import Oddity

MOST_CHARACTERS = 200_000
MOST_BYTES = 1_000_000
MARKUP = re.compile(r"\s{0,100}<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.ASCII)
META_CHARSET = re.compile(rb"charset\s{0,9}=\s{0,9}[\"']?([A-Za-z0-9_-]{1,40})", re.IGNORECASE)
STUB = 200


def is_body(part: Part) -> bool:
    """Whether a part is text for the reader and not a file."""
    named = part.disposition.get("filename") or part.type.get("name")
    return part.media_type in ("text/plain", "text/html") and part.disposition.value != "attachment" and not named


def body_parts(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts that make the body; a message of one named text has that as its body."""
    body = tuple(part for part in parts if is_body(part))
    if body or len(parts) != 1 or parts[0].disposition.value == "attachment":
        return body
    return tuple(part for part in parts if part.media_type in ("text/plain", "text/html"))


def file_parts(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts that are files: all that do not make the body."""
    body = body_parts(parts)
    return tuple(part for part in parts if part not in body)


def readable(body: Sequence[Part], found: set[Oddity]) -> str:
    """At most 200,000 clean characters; of alternatives the plain text, unless it is a stub."""
    slots: dict[int, list[tuple[str, bool]]] = {}
    left = MOST_BYTES
    for part in body:
        source = _source(part, left, found)
        left -= len(source.encode("utf-8", "replace"))
        is_html = part.media_type == "text/html" or MARKUP.match(source) is not None
        text = clean(html_to_text(source, found) if is_html else source, found)
        slots.setdefault(part.slot, []).append((text, is_html))
    texts = [text for alternatives in slots.values() if (text := _chosen(alternatives, found)).strip()]
    text = "\n\n".join(text.strip("\n") for text in texts)
    if len(text) > MOST_CHARACTERS:
        found.add(Oddity.TRUNCATED)
    return "\n".join(line.rstrip(" \t") for line in text[:MOST_CHARACTERS].split("\n")).rstrip("\n")


def _chosen(alternatives: Sequence[tuple[str, bool]], found: set[Oddity]) -> str:
    plain = "\n\n".join(text for text, is_html in alternatives if not is_html)
    rich = "\n\n".join(text for text, is_html in alternatives if is_html)
    if not rich.strip() or not _is_stub(plain, rich):
        return plain
    found.add(Oddity.HTML_ONLY)
    return rich


def _is_stub(plain: str, rich: str) -> bool:
    length = len(plain.strip())
    return length == 0 or (length < STUB and len(rich) > 3 * length and "html" in plain.lower())


def _source(part: Part, limit: int, found: set[Oddity]) -> str:
    content = part.content(found)
    charset = part.type.get("charset")
    if not charset and part.media_type == "text/html" and (match := META_CHARSET.search(content[:2_000])):
        charset = match[1].decode("ascii")
    return decode(content, charset, found, limit=max(limit, 0))
