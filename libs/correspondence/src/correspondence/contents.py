"""The bytes of what is attached to a mail, by their hash: for code that reads them, never for a note."""

from __future__ import annotations

import hashlib

from correspondence.mime import read_parts
from correspondence.text import body_parts


def attached(raw: bytes) -> dict[str, bytes]:
    """SHA-256 in hex → the decoded bytes; the same hashes that `read` gives for the attachments."""
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")
    _, _, parts = read_parts(raw, set())
    body = body_parts(parts)
    contents = (part.content(set()) for part in parts if part not in body)
    return {hashlib.sha256(content).hexdigest(): content for content in contents}
