"""A note: front matter for people and filters, and a body whose foreign text stands in fences."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from .errors import MalformedNote
from .front_matter import FrontMatter, FrontMatterError, Value

LIMIT = 1024 * 1024
"""Bytes a note may have; the vault holds text, raw mail stays outside."""

SMALL = 8 * 1024
"""Bytes of a note that is remembered as it was parsed: a move has it read by the vault, each rule and the follower."""


@dataclass(frozen=True)
class Note:
    """`---`, front matter, `---`, body. Unknown keys, comments and the owner's own text survive a rewrite."""

    front: FrontMatter
    body: str

    @classmethod
    def parse(cls, content: bytes, path: str = "") -> Note:
        """Raises MalformedNote, with the reason, for anything but UTF-8 text with front matter."""
        if len(content) > LIMIT:
            raise MalformedNote(path, f"it is {len(content)} bytes, over the limit of {LIMIT}")
        try:
            return _remembered(content) if len(content) < SMALL else _parse(content)
        except _Unreadable as error:
            raise MalformedNote(path, str(error)) from None

    def content(self) -> bytes:
        """UTF-8, LF, one final newline."""
        text = f"---\n{self.front.text}---\n{self.body}"
        return (text if text.endswith("\n") else text + "\n").encode("utf-8")

    def put(self, **changes: Value) -> Note:
        """With these front-matter keys set; None takes a key out."""
        return Note(self.front.put(**changes), self.body)

    def with_body(self, body: str) -> Note:
        return Note(self.front, body)


class _Unreadable(ValueError):
    """Why it is no note, wherever it stands."""


def _parse(content: bytes) -> Note:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _Unreadable(f"not UTF-8 at byte {error.start}") from None
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if "\r" in text:
        line = text.partition("\r")[0].count("\n") + 1
        raise _Unreadable(f"line {line} holds a bare carriage return")
    if not text.startswith("---\n"):
        raise _Unreadable("the first line is not `---`: the front matter is missing")
    end = text.find("\n---\n", 3)
    if end < 0 and text.endswith("\n---"):
        text, end = text + "\n", len(text) - 4
    if end < 0:
        raise _Unreadable("the front matter has no closing `---` line (is the note cut off?)")
    try:
        front = FrontMatter.parse(text[4 : end + 1])
    except FrontMatterError as error:
        raise _Unreadable(str(error)) from None
    return Note(front, text[end + 5 :])


_remembered = lru_cache(maxsize=512)(_parse)
