"""What is to follow once an act is done: a word in the front matter, and the text of a mail that goes with it.

    then: reply
    …
    ## Reply that follows
    ```text
    ```

Nothing here is signed. It is the stuff of a second request, which the owner sees whole and decides by itself.
"""

from __future__ import annotations

import re
from enum import StrEnum

from .fences import closes, outside
from .note import Note
from .plain import fenced, visible

HEADING = "## Reply that follows"


class Then(StrEnum):
    """What an act on the books leads to."""

    REPLY = "reply"
    """A mail with the posted invoice, to whom asked for it."""
    PAYMENT = "payment"
    """The question whether a posted bill was paid."""


def put(note: Note, then: Then, text: str = "") -> Note:
    """The note with this to follow, before its original, in the place of what stood there."""
    lines = take_out(note).body.splitlines(keepends=True)
    if text:
        at = next((i for i, line, _ in outside(lines) if line.startswith("## Original")), len(lines))
        lines[at:at] = [f"{HEADING}\n\n{fenced(visible(text))}\n"]
    return note.with_body("".join(lines)).put(then=then.value)


def take_out(note: Note) -> Note:
    """The note with nothing to follow."""
    lines = note.body.splitlines(keepends=True)
    span = _span(lines)
    if span is not None:
        end = span[1] + 1
        del lines[span[0] : end + (lines[end : end + 1] == ["\n"])]
    return note.with_body("".join(lines)).put(then=None)


def then(note: Note) -> Then | None:
    """What is to follow; None when nothing is, or nothing this program knows."""
    word = note.front.words("then")
    return Then(word) if word in list(Then) else None


def text(note: Note) -> str:
    """The text that is to follow; empty when there is none."""
    lines = note.body.splitlines(keepends=True)
    span = _span(lines)
    if span is None:
        return ""
    inside = lines[span[0] : span[1] + 1]
    opened = next(i for i, line in enumerate(inside) if line.startswith("`"))
    return "".join(inside[opened + 1 : -1])


def _span(lines: list[str]) -> tuple[int, int] | None:
    """The lines from the heading to the end of its fence."""
    start = next((i for i, line, sure in outside(lines) if sure and line == HEADING), None)
    if start is None:
        return None
    at = start + 1
    while at < len(lines) and not lines[at].strip():
        at += 1
    found = re.fullmatch(r"(`{3,})text\n", lines[at]) if at < len(lines) else None
    if found is None:
        return None
    end = next((i for i in range(at + 1, len(lines)) if closes(lines[i].rstrip("\n"), found[1])), None)
    return (start, end) if end is not None else None
