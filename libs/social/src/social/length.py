"""How long a text is, as the network itself counts it."""

from __future__ import annotations

import re
import unicodedata

from social.limits import LIMITS, Unit
from social.words import BARE, GRAPHEME, graphemes, is_emoji, link_spans
from vault_protocol.social_action import Network

_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
"""Ranges of code points that X weighs one; every other weighs two."""

_REMOTE = re.compile(r"(?<![A-Za-z0-9_@./])(@[A-Za-z0-9_]+)@[A-Za-z0-9.-]+[A-Za-z0-9]")


def length(text: str, network: Network) -> int:
    """What counts against the network's limit."""
    limits = LIMITS[network]
    match limits.unit:
        case Unit.WEIGHTED:
            return _weighted(text, limits.link_weight or 0)
        case Unit.UTF16:
            return len(text.encode("utf-16-le", "surrogatepass")) // 2
        case Unit.GRAPHEMES:
            if limits.link_weight is None:
                return graphemes(text)
            rest, links = _around_links(text)
            return graphemes(_REMOTE.sub(r"\1", rest)) + links * limits.link_weight


def fault(text: str, network: Network, *, reply: bool = False) -> str | None:
    """Why this text is too long, in words, or None."""
    limits = LIMITS[network]
    longest = (limits.reply_longest if reply else None) or limits.longest
    used = length(text, network)
    if used > longest:
        return f"{used} {limits.unit.value}; {limits.name} takes {longest}"
    size = len(text.encode("utf-8", "surrogatepass"))
    if limits.bytes_ is not None and size > limits.bytes_:
        return f"{size} bytes; {limits.name} takes {limits.bytes_}"
    return None


def _weighted(text: str, link_weight: int) -> int:
    rest, links = _around_links(unicodedata.normalize("NFC", text))
    bare = 0
    for found in BARE.finditer(rest):
        bare += max(0, link_weight - _weigh(found.group()))
    return _weigh(rest) + links * link_weight + bare


def _weigh(text: str) -> int:
    total = 0
    for found in GRAPHEME.finditer(text):
        grapheme = found.group()
        total += 2 if is_emoji(grapheme) else sum(_weight(ord(character)) for character in grapheme)
    return total


def _weight(code: int) -> int:
    return 1 if any(first <= code <= last for first, last in _LIGHT) else 2


def _around_links(text: str) -> tuple[str, int]:
    """The text without its links, and how many there are."""
    kept, at = [], 0
    spans = link_spans(text)
    for start, end in spans:
        kept.append(text[at:start])
        at = end
    return "".join((*kept, text[at:])), len(spans)
