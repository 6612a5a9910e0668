"""Text from outside as the page shows it: escaped, and with every character that a browser would hide named."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from markupsafe import Markup, escape

from vault_protocol.plain import CONTROL, HIDDEN

_NAMED = re.compile(f"{HIDDEN.pattern}|{CONTROL.pattern}")


def exact(text: str) -> Markup:
    """Every character is seen: what has no shape, or would turn the line round, stands as its number."""
    text = text.replace("\r\n", "\n")
    parts, at = [], 0
    for found in _NAMED.finditer(text):
        parts += [escape(text[at : found.start()]), _mark(found.group())]
        at = found.end()
    parts.append(escape(text[at:]))
    return Markup("").join(parts)


def _mark(character: str) -> Markup:
    return Markup('<mark class="hidden" title="a character that is not seen">U+{}</mark>').format(
        f"{ord(character):04X}"
    )


def clock(then: datetime) -> str:
    """`15:04:05` on the owner's clock."""
    return f"{then.astimezone():%H:%M:%S}"


def day(then: datetime) -> str:
    """`25 Nov, 15:04` on the owner's clock."""
    return f"{then.astimezone():%-d %b %Y, %H:%M}"


def epoch(then: datetime) -> int:
    """Milliseconds, for the script that counts down."""
    return int(then.astimezone(UTC).timestamp() * 1000)
