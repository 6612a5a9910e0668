"""Texts as networks give them back, made comparable with what was sent."""

from __future__ import annotations

import re
from html import unescape

_TAG = re.compile(r"<[^>]*>")
_BREAK = re.compile(r"<(?:br\s*/?|/p)>\s*", re.IGNORECASE)
_REMOTE = re.compile(r"(@[A-Za-z0-9_]+)@[A-Za-z0-9.-]+[A-Za-z0-9]")


def of_html(html: str) -> str:
    """The words of a post that comes as HTML."""
    broken = _BREAK.sub("\n", html)
    last = broken.rfind(">") + 1  # behind it each `<` would be looked on from to the end, and none is a tag
    return unescape(_TAG.sub("", broken[:last]) + broken[last:]).strip("\n")


def same(one: str, other: str) -> bool:
    """Whether two texts say the same, whatever a network did to spaces, line ends and long names of mentions.

    Nothing is the same as an empty text.
    """
    first, second = (re.sub(r"\s+", "", _REMOTE.sub(r"\1", text)) for text in (one, other))
    return bool(first) and first == second
