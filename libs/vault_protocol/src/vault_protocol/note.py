"""A note: front matter for people and filters, and a body whose foreign text stands in fences."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import MalformedNote
from .front_matter import FrontMatter, FrontMatterError, Value

LIMIT = 1024 * 1024
"""Bytes a note may have; the vault holds text, raw mail stays outside."""


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
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise MalformedNote(path, f"not UTF-8 at byte {error.start}") from None
        text = text.removeprefix("\ufeff").replace("\r\n", "\n")
        if "\r" in text:
            line = text.partition("\r")[0].count("\n") + 1
            raise MalformedNote(path, f"line {line} holds a bare carriage return")
        if not text.startswith("---\n"):
            raise MalformedNote(path, "the first line is not `---`: the front matter is missing")
        end = text.find("\n---\n", 3)
        if end < 0 and text.endswith("\n---"):
            text, end = text + "\n", len(text) - 4
        if end < 0:
            raise MalformedNote(path, "the front matter has no closing `---` line (is the note cut off?)")
        try:
            front = FrontMatter.parse(text[4 : end + 1])
        except FrontMatterError as error:
            raise MalformedNote(path, str(error)) from None
        return cls(front, text[end + 5 :])

    def content(self) -> bytes:
        """UTF-8, LF, one final newline."""
        text = f"---\n{self.front.text}---\n{self.body}"
        return (text if text.endswith("\n") else text + "\n").encode("utf-8")

    def put(self, **changes: Value) -> Note:
        """With these front-matter keys set; None takes a key out."""
        return Note(self.front.put(**changes), self.body)

    def with_body(self, body: str) -> Note:
        return Note(self.front, body)
