"""Updates: what an agent tells the dashboard, one line an event, made of enums, ids and counts only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from .canonical import moment, utc
from .task import AgentId

_WORD = r"[a-z0-9_-]{1,40}"
_LINE = re.compile(rf"- (\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ) ({_WORD})((?: {_WORD}={_WORD})*)", re.ASCII)

KEPT = 200
"""Lines an agent keeps; the history has the others."""


@dataclass(frozen=True)
class Update:
    """One event. `facts` are pairs of words of `[a-z0-9_-]`, 40 characters at most."""

    at: str
    event: str
    facts: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, event: str, at: datetime, **facts: str | int) -> Update:
        """Raises ValueError for a fact that is not a plain word: text from outside never gets here."""
        update = cls(utc(at), event, tuple((key, str(value)) for key, value in facts.items()))
        if not _LINE.fullmatch(update.line()):
            raise ValueError(f"an update holds plain words only: {event} {facts!r}")
        return update

    def line(self) -> str:
        return " ".join([f"- {self.at} {self.event}", *(f"{key}={value}" for key, value in self.facts)])


def path(agent: AgentId) -> str:
    """Updates/AGENT/recent.md."""
    return f"Updates/{agent}/recent.md"


def alive_path(agent: AgentId) -> str:
    """Updates/AGENT/alive.md: one line, by which an agent with nothing else to say shows that it is there."""
    return f"Updates/{agent}/alive.md"


def both_paths(agent: AgentId) -> tuple[str, str]:
    return path(agent), alive_path(agent)


def alive(now: datetime) -> bytes:
    return (Update.of("alive", now).line() + "\n").encode("ascii")


def mailboxes_path(agent: AgentId) -> str:
    """Updates/AGENT/mailboxes.md: what opens each mailbox that this agent reads, a line each."""
    return f"Updates/{agent}/mailboxes.md"


def told_credentials(held: Mapping[str, str], now: datetime) -> bytes:
    """`held`: name of a mailbox → the kind of its credential."""
    return add(None, *(Update.of("mailbox", now, mailbox=name, credential=kind) for name, kind in held.items()))


def credentials(content: bytes | None) -> dict[str, str]:
    """What `told_credentials` wrote."""
    found = (dict(update.facts) for update in parse(content or b"") if update.event == "mailbox")
    return {facts["mailbox"]: facts["credential"] for facts in found if {"mailbox", "credential"} <= facts.keys()}


def notes_path(agent: AgentId) -> str:
    """Updates/AGENT/notes.md: what of the owner's goals and objectives this agent cannot use, a line each."""
    return f"Updates/{agent}/notes.md"


def spending_path(agent: AgentId) -> str:
    """Updates/AGENT/spending.md: one line, what models cost this agent today. Money in millionths."""
    return f"Updates/{agent}/spending.md"


def spending(content: bytes | None) -> dict[str, str]:
    """The facts of that line; empty when there is none."""
    return next((dict(line.facts) for line in parse(content or b"") if line.event == "spending"), {})


def last_word(*contents: bytes | None) -> datetime | None:
    """The time of the newest line in these files of one agent, by its own clock."""
    return max((moment(found[-1].at) for content in contents if (found := _told(content))), default=None)


def _told(content: bytes | None) -> tuple[Update, ...]:
    """Without lines whose time is none: a hostile agent writes what it likes."""
    found = []
    for update in parse(content or b""):
        try:
            moment(update.at)
        except ValueError:
            continue
        found.append(update)
    return tuple(found)


def parse(content: bytes) -> tuple[Update, ...]:
    """The well-formed lines, oldest first. Anything else in the file is not shown to anybody."""
    found = []
    for line in content.decode("utf-8", "replace").splitlines()[-KEPT:]:
        match = _LINE.fullmatch(line)
        if match:
            facts = tuple(tuple(pair.split("=", 1)) for pair in match[3].split())
            found.append(Update(match[1], match[2], facts))
    return tuple(found)


def add(content: bytes | None, *updates: Update) -> bytes:
    """The file with these lines at its end and the oldest dropped."""
    lines = [line.line() for line in (*parse(content or b""), *updates)][-KEPT:]
    return ("\n".join(lines) + "\n").encode("utf-8")
