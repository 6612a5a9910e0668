"""Header lines as we write them: ASCII, folded, and refused when they could become two."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence

from correspondence.characters import BIDI, INVISIBLE, LINE_BREAKING, NOT_A_CHARACTER
from correspondence.mailbox import Mailbox, safe_address
from correspondence.threads import is_id

WIDTH = 76
BYTES_PER_WORD = 42
ATOM = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~")


class UnsafeMessage(ValueError):
    """A message could not be written without changing what it says."""


def line(name: str, words: Sequence[str]) -> str:
    """One header, its words parted by spaces and folded where a line would become too long."""
    written = f"{name}:"
    width = len(written)
    for number, word in enumerate(words):
        fold = number > 0 and width + 1 + len(word) > WIDTH
        written += f"\r\n {word}" if fold else f" {word}"
        width = 1 + len(word) if fold else width + 1 + len(word)
    return f"{written}\r\n"


def mailbox_words(mailboxes: Sequence[Mailbox], field: str) -> list[str]:
    """The words of an address list."""
    words: list[str] = []
    for number, mailbox in enumerate(mailboxes):
        if safe_address(mailbox.address) != mailbox.address:
            raise UnsafeMessage(f"{field}: an address is not a plain ASCII addr-spec with a lower-case domain")
        name = list(_phrase(_checked(mailbox.name, field)))
        comma = "," if number + 1 < len(mailboxes) else ""
        words += [*name, f"<{mailbox.address}>{comma}"] if name else [f"{mailbox.address}{comma}"]
    return words


def text_words(text: str, field: str) -> list[str]:
    """The words of free text, encoded (RFC 2047) unless they are plain ASCII that folds back to the same."""
    words = _checked(text, field).split(" ")
    plain = text.isascii() and "=?" not in text and "\t" not in text and all(words)
    return words if plain and all(len(word) < WIDTH for word in words) else list(_encoded(text))


def id_words(ids: Sequence[str], field: str) -> list[str]:
    """Message-IDs, each one word."""
    for one in ids:
        if not is_id(one):
            raise UnsafeMessage(f"{field}: not one Message-ID of printable ASCII in angle brackets")
    return list(ids)


def _checked(text: str, field: str) -> str:
    for pattern in (LINE_BREAKING, NOT_A_CHARACTER, BIDI, INVISIBLE):
        if pattern.search(text):
            raise UnsafeMessage(f"{field}: control, reversing or invisible characters cannot stand in a header")
    return text


def _phrase(name: str) -> Iterator[str]:
    words = name.split(" ")
    if not name:
        return
    if name.isascii() and "=?" not in name and len(name) < WIDTH - 2 and "\t" not in name:
        if all(words) and all(set(word) <= ATOM for word in words):
            yield from words
        else:
            escaped = name.replace("\\", "\\\\").replace('"', '\\"')
            yield f'"{escaped}"'
    else:
        yield from _encoded(name)


def _encoded(text: str) -> Iterator[str]:
    piece = b""
    for character in text:
        encoded = character.encode("utf-8")
        if len(piece) + len(encoded) > BYTES_PER_WORD:
            yield _word(piece)
            piece = b""
        piece += encoded
    if piece:
        yield _word(piece)


def _word(piece: bytes) -> str:
    return f"=?utf-8?b?{base64.b64encode(piece).decode('ascii')}?="
