"""HTML as a stream of text and tags, in time linear in its length."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

from correspondence.oddity import Oddity

MOST_ATTRIBUTES = 50
TAG = re.compile(r"<(?=[a-zA-Z/!?])")
NAME = re.compile(r"[a-zA-Z][^\s/>]*", re.ASCII)
ATTRIBUTE = re.compile(r"[\s/]*([^\s/>][^\s/>=]*)(?:\s*=\s*)?", re.ASCII)
EQUALS = re.compile(r"\s*=\s*\Z", re.ASCII)
UNQUOTED = re.compile(r"[^\s>]*", re.ASCII)
TAG_END = re.compile(r"[\s/]*>", re.ASCII)
LONG_NUMBER = re.compile(r"&#(?:[0-9]{8,}|[xX][0-9a-fA-F]{8,});?")
RAW = frozenset(["script", "style", "title", "iframe", "noembed", "noframes", "xmp", "textarea"])
RAW_END = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE | re.ASCII) for name in RAW}


class Text(NamedTuple):
    """Characters, references resolved; `raw` names the element, such as style, whose source they are."""

    text: str
    raw: str = ""


class Open(NamedTuple):
    """A start tag with lower-case names; of equal attributes the first counts."""

    name: str
    attributes: dict[str, str]


class Close(NamedTuple):
    """An end tag."""

    name: str


def unescape(text: str) -> str:
    """Character references resolved; numbers beyond any character become U+FFFD."""
    return html.unescape(LONG_NUMBER.sub("\ufffd", text)) if "&" in text else text


def tokens(source: str, found: set[Oddity]) -> Iterator[Text | Open | Close]:
    """All but comments; a tag or comment that never ends hides the rest, as it does in browsers."""
    position = 0
    while match := TAG.search(source, position):
        tag = match.start()
        if tag > position:
            yield Text(unescape(source[position:tag]))
        closing = source.startswith("/", tag + 1)
        name = NAME.match(source, tag + 1 + closing)
        attributes: dict[str, str] = {}
        if name:
            attributes, position = _attributes(source, name.end())
        else:
            position = _after_comment(source, tag)
        if position < 0:
            found.add(Oddity.BROKEN_MIME)
            return
        if name:
            lower = name.group().lower()
            yield Close(lower) if closing else Open(lower, attributes)
            if lower in RAW and not closing:
                end = RAW_END[lower].search(source, position)
                stop = end.start() if end else len(source)
                yield Text(source[position:stop], raw=lower)
                position = stop
    if position < len(source):
        yield Text(unescape(source[position:]))


def _after_comment(source: str, tag: int) -> int:
    if source.startswith(("<!-->", "<!--->"), tag):
        return source.find(">", tag) + 1
    mark = "-->" if source.startswith("<!--", tag) else ">"
    end = source.find(mark, tag + 2)
    return -1 if end < 0 else end + len(mark)


def _attributes(source: str, position: int) -> tuple[dict[str, str], int]:
    """The attributes from `position` on and where the tag ends, -1 when it never does."""
    attributes: dict[str, str] = {}
    while not (end := TAG_END.match(source, position)):
        match = ATTRIBUTE.match(source, position)
        if not match:
            return attributes, -1
        position, value = match.end(), ""
        if EQUALS.search(match.group(), match.end(1) - match.start()):
            quote = source[position : position + 1]
            if quote in ("'", '"'):
                close = source.find(quote, position + 1)
                if close < 0:
                    return attributes, -1
                value, position = source[position + 1 : close], close + 1
            else:
                unquoted = UNQUOTED.match(source, position)
                value = unquoted.group() if unquoted else ""
                position += len(value)
        if len(attributes) < MOST_ATTRIBUTES:
            attributes.setdefault(match[1].lower(), unescape(value))
    return attributes, end.end()
