"""Memory/Triage.md: how many drafts to whom the owner rejected. From the second on they are asked first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from drafting.plain import line
from vault_protocol.errors import MalformedNote
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note

PATH = "Memory/Triage.md"
ENOUGH = 2
MOST = 200
"""Senders that the note holds; the longest not rejected go first."""
LARGEST = 64 * 1024
_ROW = re.compile(
    r"\s{0,3}[-*+] (?P<who>\S+@\S+): (?P<often>\d{1,4}) rejected"
    r"(?:, last (?P<last>\d{4}-\d\d-\d\d))?(?: \((?P<why>.*)\))?\s*"
)
_INTRO = """
# What your rejections taught

From the second rejected draft to a sender on, their mail is put before you as a question. Delete a line and it is
forgotten.

"""


@dataclass(frozen=True, slots=True)
class Rejected:
    """One line of the note."""

    who: str
    often: int
    last: str = ""
    why: str = ""

    def shown(self) -> str:
        last = f", last {self.last}" if self.last else ""
        return f"- {self.who}: {self.often} rejected{last}{f' ({self.why})' if self.why else ''}"

    @property
    def reason(self) -> str:
        """For the owner: why nothing was drafted."""
        last = f", the last on {self.last}" if self.last else ""
        return (
            f"you rejected {self.often} drafts to this sender{last}; {PATH} says so, delete the line to have it drafted"
        )


def read(content: str) -> Mapping[str, Rejected]:
    """Sender, in small letters → what is counted. Lines that say something else are the owner's own."""
    found = (_row(words) for words in content[:LARGEST].split("\n"))
    return {row.who: row for row in found if row is not None}


def asks(content: str, sender: str) -> Rejected | None:
    """The line by which the owner is asked before a draft to this sender is made; None when there is none."""
    row = read(content).get(sender.strip().lower())
    return row if row is not None and row.often >= ENOUGH else None


def rejected(content: bytes | None, sender: str, *, why: str, on: date) -> bytes | None:
    """The note with one more for this sender; None when it cannot be added to."""
    note = _note(content)
    who = sender.strip().lower()
    if note is None or not re.fullmatch(r"[^\s:()]{1,200}@[^\s:()]{1,200}", who):
        return None
    lines = note.body.rstrip("\n").split("\n")
    at = next((i for i, words in enumerate(lines) if (row := _row(words)) and row.who == who), None)
    before = _row(lines.pop(at)) if at is not None else None
    said = line(why, 60).translate(str.maketrans("()[]<>`", "      '")).strip() or (before.why if before else "")
    if lines[-1].strip() and _row(lines[-1]) is None:
        lines.append("")
    lines.append(Rejected(who, (before.often if before else 0) + 1, on.isoformat(), said).shown())
    rows = [i for i, words in enumerate(lines) if _row(words)]
    for i in reversed(rows[: max(0, len(rows) - MOST)]):
        del lines[i]
    return note.with_body("\n".join(lines) + "\n").content()


def approved(content: bytes | None, sender: str) -> bytes | None:
    """The note without this sender; None when nothing changes."""
    note, who = _note(content), sender.strip().lower()
    if content is None or note is None or who not in read(note.body):
        return None
    kept = [words for words in note.body.split("\n") if (row := _row(words)) is None or row.who != who]
    return note.with_body("\n".join(kept)).content()


def _note(content: bytes | None) -> Note | None:
    if content is None:
        return Note(FrontMatter().put(type="memory", about="triage"), _INTRO)
    try:
        return Note.parse(content) if len(content) <= LARGEST else None
    except MalformedNote:
        return None


def _row(words: str) -> Rejected | None:
    found = _ROW.fullmatch(words)
    if found is None:
        return None
    return Rejected(found["who"].lower(), int(found["often"]), found["last"] or "", found["why"] or "")
