"""Mailboxes: address lists of strangers, read without ever decoding before the structure is known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from correspondence.characters import one_line
from correspondence.headers import decode_words
from correspondence.oddity import Oddity

LONGEST_NAME = 200
MOST_MAILBOXES = 500
LOCAL = r"[A-Za-z0-9_][A-Za-z0-9_+='&~#/-]*(?:\.[A-Za-z0-9_+='&~#/-]+)*"
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
ADDRESS = re.compile(rf"({LOCAL})@((?:{LABEL}\.)+{LABEL})", re.ASCII)
ROUTE = re.compile(r"\A@[^:]*:")
PIECE = re.compile(
    r'"((?:[^"\\]|\\.)*)(?:"|\Z)|<[^<>]*(?:>|\Z)|=\?[^?\s]{1,60}\?[bBqQ]\?[^?\s]*\?=|'
    r'[(),;:]|\\.|(?:(?!=\?)[^"<(),;:\\])+|.',
    re.DOTALL,
)


@dataclass(frozen=True)
class Mailbox:
    """A display name (one line, may be empty) and an ASCII addr-spec with a lower-case domain."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        """What stands after the @."""
        return self.address.rpartition("@")[2]


def safe_address(address: str) -> str | None:
    """The address with a lower-case domain, None unless it is a plain ASCII addr-spec."""
    match = ADDRESS.fullmatch(address)
    if not match or len(match[1]) > 64 or len(match[2]) > 253 or match[2].rpartition(".")[2].isdigit():
        return None
    return f"{match[1]}@{match[2].lower()}"


def read_mailboxes(header: str, found: set[Oddity]) -> tuple[Mailbox, ...]:
    """The usable mailboxes of an address list, each address once, at most 500."""
    mailboxes: dict[str, Mailbox] = {}
    for name, address in _entries(header):
        if len(mailboxes) >= MOST_MAILBOXES:
            found.add(Oddity.HUGE)
            break
        usable = safe_address(address)
        if usable is None:
            found.add(Oddity.BAD_ADDRESS)
            continue
        clean_name = one_line(decode_words(name, found), found, limit=LONGEST_NAME)
        mailboxes.setdefault(usable.lower(), Mailbox("" if clean_name == usable else clean_name, usable))
    return tuple(mailboxes.values())


def _entries(header: str) -> Iterator[tuple[str, str]]:
    """(name, address) of each entry of a list; group names and comments are not entries."""
    words: list[str] = []
    comment: list[str] = []
    angle: str | None = None
    depth = 0
    for match in PIECE.finditer(header):
        piece = match.group()
        if piece in "()":
            depth = max(depth + (1 if piece == "(" else -1), 0)
        elif depth:
            comment.append(piece)
        elif piece in ",;":
            yield from _entry(words, comment, angle)
            words, comment, angle = [], [], None
        elif piece == ":" and angle is None:
            words = []
        elif piece[0] == "<":
            inner = ROUTE.sub("", piece.strip("<> \t"))
            angle = inner if angle is None else f"{angle} {inner}"
        elif match[1] is not None:
            words.append(re.sub(r"\\(.)", r"\1", match[1]))
        else:
            words.append(piece)
    yield from _entry(words, comment, angle)


def _entry(words: list[str], comment: list[str], angle: str | None) -> Iterator[tuple[str, str]]:
    text = "".join(words).strip()
    if angle is not None:
        yield text, angle
    elif text:
        yield "".join(comment).strip(), text
