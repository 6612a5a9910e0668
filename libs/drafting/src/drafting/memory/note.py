"""Writing down what was learned: the owner's own lines and words stay where they are."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from drafting.letter import Account
from drafting.memory.lines import COUNTED, SEVERAL, Key, Line, line_in
from vault_protocol import layout
from vault_protocol.canonical import utc
from vault_protocol.errors import MalformedNote
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note

FOLDER = "Memory"
MOST = 8
"""Lines of one kind that a note may hold several of."""
SOURCES = 10
LARGEST = 16 * 1024
"""Bytes of a note that something is added to."""
SOURCE = "## Learned from"
_ADDRESS = re.compile(r"[a-z0-9][a-z0-9._+-]{0,63}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,5}")


def of_contact(account: Account, address: str) -> str:
    """Where the note of this contact is; an address that is no file name gives a blinded one."""
    name = address.strip().lower()
    path = f"{FOLDER}/{account}/contacts/{name}.md"
    if _ADDRESS.fullmatch(name) and layout.name_fault(path, by_agent=False) is None:
        return path
    return f"{FOLDER}/{account}/contacts/contact-{hashlib.sha256(name.encode()).hexdigest()[:20]}.md"


def of_topic(account: Account, topic: str) -> str:
    return f"{FOLDER}/{account}/topics/{topic}.md"


def with_lessons(
    content: bytes | None, found: Sequence[Line], *, about: str, task: str, now: datetime
) -> bytes | None:  # fmt: skip
    """The note with these lines; None when there is nothing to write, or the note is not one that can be added to."""
    if not found or (content is not None and len(content) > LARGEST):
        return None
    try:
        note = Note.parse(content) if content is not None else _new(about)
    except MalformedNote:
        return None
    body, mark, sources = note.body.partition(f"\n{SOURCE}\n")
    lines = body.split("\n")
    for one in found:
        _put(lines, one)
    for key in SEVERAL:
        _bound(lines, key)
    told = dict.fromkeys(one.key.value.lower() for one in found)
    rows = [row for row in sources.split("\n") if row.strip()] if mark else []
    rows = [*rows, f"- {now:%Y-%m-%d}, task {task}: {', '.join(told)}"][-SOURCES:]
    text = "\n".join(lines).rstrip("\n") + f"\n\n{SOURCE}\n\n" + "\n".join(rows) + "\n"
    return note.put(updated=utc(now)).with_body(text).content()


def _new(about: str) -> Note:
    front = FrontMatter().put(type="memory", about=about)
    says = "A line that you change counts as it stands. What you delete is forgotten, the whole note too."
    return Note(front, f"\n# What your edits taught: {about}\n\n{says}\n")


def _put(lines: list[str], one: Line) -> None:
    """In the place of what it replaces, or after the last line of its kind."""
    last = None
    for at, words in enumerate(lines):
        there = line_in(words)
        if there is None:
            continue
        last = at
        if there.same_as(one):
            lines[at] = _merged(there, one).shown()
            return
    if last is None:
        while lines and not lines[-1].strip():
            lines.pop()
        lines += ["", one.shown()]
    else:
        lines.insert(last + 1, one.shown())


def _merged(there: Line, one: Line) -> Line:
    """A count goes up; one that the owner took away stays away. Another length begins anew."""
    if there.key not in COUNTED:
        return one
    if there.text.casefold() != one.text.casefold():
        return one
    return there if there.seen is None else replace(there, seen=there.seen + 1)


def _bound(lines: list[str], key: Key) -> None:
    """The oldest go first, those of the owner's own hand never."""
    mine = [at for at, words in enumerate(lines) if (one := line_in(words)) and one.key is key and one.seen is not None]
    for at in reversed(mine[: max(0, len(mine) - MOST)]):
        del lines[at]


def keys_in(content: bytes | None) -> frozenset[tuple[Key, str]]:
    """What a note holds, as `mark` names it."""
    text = (content or b"").decode("utf-8", "replace")
    return frozenset(mark(one) for words in text.split("\n") if (one := line_in(words)))


def mark(one: Line) -> tuple[Key, str]:
    """What a line is about: its key, with the words where a note may hold several."""
    return one.key, one.text.casefold() if one.key in SEVERAL else (one.language or "")
