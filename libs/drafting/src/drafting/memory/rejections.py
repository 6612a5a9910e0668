"""Memory/Triage.md: what the owner rejected, by sender, by mailing list and by what the mail was about. From a number
on they are asked first, or a list's mail is no more than low."""

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
ENOUGH, ENOUGH_OF_A_TOPIC = 2, 4
"""A topic is many people's: it takes more, and one approval between them ends it."""
MOST = 200
"""Rows that the note holds; the longest not rejected go first."""
LIST, TOPIC = "list ", "mail about "
LARGEST = 64 * 1024
_ROW = re.compile(
    r"\s{0,3}[-*+] (?P<who>\S+@\S+|list [\w.-]{1,120}|mail about [a-z ]{1,40}): (?P<often>\d{1,4}) rejected"
    r"(?:, last (?P<last>\d{4}-\d\d-\d\d))?(?: \((?P<why>.*)\))?\s*"
)
_WHO = re.compile(r"[^\s:()]{1,200}@[^\s:()]{1,200}|list [\w.-]{1,120}|mail about [a-z ]{1,40}")
_INTRO = """
# What your rejections taught

From the second rejected draft to a sender on, and from the fourth in a row about a topic, their mail is put before you
as a question. What comes by a mailing list is low from the second on. Delete a line and it is forgotten.

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
    def counts(self) -> bool:
        """Whether it was rejected often enough."""
        return self.often >= (ENOUGH_OF_A_TOPIC if self.who.startswith(TOPIC) else ENOUGH)

    @property
    def reason(self) -> str:
        """For the owner: what they taught, and how to end it."""
        last = f", the last on {self.last}" if self.last else ""
        if self.who.startswith(LIST):
            return f"you rejected {self.often} mails of this list{last}; {PATH} says so"
        to = self.who if self.who.startswith(TOPIC) else "to this sender"
        drafts = f"drafts for {to}" if self.who.startswith(TOPIC) else f"drafts {to}"
        return f"you rejected {self.often} {drafts}{last}; {PATH} says so, delete the line to have it drafted"


def read(content: str) -> Mapping[str, Rejected]:
    """Sender, list or topic, in small letters → what is counted. Lines that say something else are the owner's own."""
    found = (_row(words) for words in content[:LARGEST].split("\n"))
    return {row.who: row for row in found if row is not None}


def of_list(name: str) -> str:
    """What a mailing list is called in the note."""
    return f"{LIST}{name}"


def of_topic(topic: str) -> str:
    """What mail about a topic is called in the note."""
    return f"{TOPIC}{topic}"


def asks(content: str, *who: str) -> Rejected | None:
    """The first of these, senders and topics, that the owner is asked about before a draft; None when there is none."""
    rows = read(content)
    found = (rows.get(one.strip().lower()) for one in who)
    return next((row for row in found if row is not None and row.counts), None)


def rejected(content: bytes | None, *who: str, why: str, on: date) -> bytes | None:
    """The note with one more for each of these; None when nothing can be added."""
    for one in who:
        content = _with(content, one.strip().lower(), why=why, on=on) or content
    return content


def _with(content: bytes | None, who: str, *, why: str, on: date) -> bytes | None:
    note = _note(content)
    if note is None or not _WHO.fullmatch(who):
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


def approved(content: bytes | None, *who: str) -> bytes | None:
    """The note without these; None when nothing changes."""
    note, gone = _note(content), {one.strip().lower() for one in who}
    if content is None or note is None or not gone & read(note.body).keys():
        return None
    kept = [words for words in note.body.split("\n") if (row := _row(words)) is None or row.who not in gone]
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
