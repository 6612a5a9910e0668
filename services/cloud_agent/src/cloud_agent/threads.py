"""Which mails belong together: by Message-ID and References, as the notes in the vault have them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from correspondence import Original
from correspondence.threads import bounded
from drafting import guard
from vault_protocol import layout, notes, plain
from vault_protocol.canonical import moment
from vault_protocol.errors import MalformedNote
from vault_protocol.hub import CommitId
from vault_protocol.note import Note
from vault_protocol.task import Stage, Task, TaskId
from vault_protocol.vault import Vault

MOST = 12
"""Message-IDs of a thread that a note keeps: the first, which names the thread, and the nearest."""
MONTHS = 2
"""How far back ended tasks are looked at, in months of the calendar."""
_ADDRESS = re.compile(r"[^\s<>‹›@]+@[^\s<>‹›@]+")
READ_OF_A_MAIL = 20_000
"""Characters in which marks are looked for."""
READ = (Stage.NEEDS_ACTION, Stage.IN_PROGRESS, Stage.PENDING_APPROVAL, Stage.APPROVED, Stage.REJECTED, Stage.DONE)


def ids_of(original: Original) -> list[str]:
    """What front matter keeps of the thread above a mail, the oldest first; empty for the first mail of one."""
    ids = (*original.references, *((original.in_reply_to,) if original.in_reply_to else ()))
    return [shown for id_ in bounded(tuple(dict.fromkeys(ids)), MOST) if (shown := plain.message_id_shown(id_))]


@dataclass(frozen=True)
class Mail:
    """One mail in the vault, as far as threads go."""

    task: TaskId
    received: datetime
    message_id: str
    above: frozenset[str]
    """The Message-IDs that it says came before it."""
    sender: str = ""
    """The address it came from, in small letters; empty when it is not sure which."""
    subject: str = ""
    account: str = ""
    marks: frozenset[tuple[str, str]] = frozenset()
    """What in it can be somebody's: (what it is, its key), as the guard of drafts finds them."""

    def answers(self, other: Mail) -> bool:
        """Whether it came later in the same thread: it names the other, or both name the thread's first mail. Times
        have whole seconds: of two mails of one second the one that names the other is the later, else neither."""
        if self.task == other.task or self.received < other.received:
            return False
        if self.received == other.received:
            return other.message_id in self.above and self.message_id not in other.above
        return other.message_id in self.above or bool(self.above & other.above)


class Threads:
    """The mails of the last months; every note is read once, whatever becomes of its task."""

    def __init__(self) -> None:
        self._known: dict[TaskId, Mail | None] = {}
        self._as_of: tuple[CommitId, int, int] | None = None
        """The head that was looked at, its root, and the month from which ended tasks count."""

    def look(self, vault: Vault, now: datetime) -> None:
        """Take in what is new, and let go of what is in the vault no more, or long ended. After the first time in a
        month only what changed since is looked at."""
        journal, before = vault.journal, self._as_of
        if journal.head is None:
            return
        as_of = (journal.head, journal.generation, _first_month(now))
        if as_of == before:
            return
        if before is None or as_of[1:] != before[1:]:
            found = near(vault, now)
            self._known = {id_: self._known[id_] if id_ in self._known else _read(vault, path) for id_, path in found}
        else:
            for change in journal.store.changes(before[0], journal.head):
                if (place := layout.place_of(change.path)) is not None:
                    self._take(vault, place.id, as_of[2])
        self._as_of = as_of

    def _take(self, vault: Vault, task: TaskId, first: int) -> None:
        path = vault.journal.where.get(task)
        if path is None or not _is_near(path, first):
            self._known.pop(task, None)
        elif task not in self._known:
            self._known[task] = _read(vault, path)

    def mails(self) -> tuple[Mail, ...]:
        """All of them, the newest first."""
        found = (mail for mail in self._known.values() if mail is not None)
        return tuple(sorted(found, key=lambda mail: (mail.received, mail.task), reverse=True))

    def later(self, task: TaskId) -> tuple[Mail, ...]:
        """The mails that came after this task's in its thread, the oldest first."""
        this = self._known.get(task)
        if this is None:
            return ()
        found = (mail for mail in self._known.values() if mail is not None and mail.answers(this))
        return tuple(sorted(found, key=lambda mail: (mail.received, mail.task)))

    def earlier(self, task: TaskId) -> tuple[Mail, ...]:
        """The mails that this task's came after in its thread, the oldest first."""
        this = self._known.get(task)
        if this is None:
            return ()
        found = (mail for mail in self._known.values() if mail is not None and this.answers(mail))
        return tuple(sorted(found, key=lambda mail: (mail.received, mail.task)))


def near(vault: Vault, now: datetime) -> tuple[tuple[TaskId, str], ...]:
    """The tasks that have not ended, or ended in the last months, and where they are."""
    first = _first_month(now)
    return tuple((id_, path) for id_, path in vault.journal.where.items() if _is_near(path, first))


def _first_month(now: datetime) -> int:
    """Months are counted through the years; what ended in this one or before is not looked at."""
    return now.year * 12 + now.month - MONTHS


def _is_near(path: str, first: int) -> bool:
    place = layout.place_of(path)
    if place is None or place.stage not in READ:
        return False
    if place.stage not in layout.BY_MONTH:
        return True
    year, month = place.folder.split("/")
    return int(year) * 12 + int(month) > first


def _read(vault: Vault, path: str) -> Mail | None:
    try:
        return mail_of(notes.read(path, vault.journal.read(path) or b""))
    except MalformedNote:
        return None


def mail_of(task: Task) -> Mail | None:
    """None for what is no mail, or has no Message-ID to be named by."""
    front = task.note.front
    message_id, received = front.words("message_id"), front.words("received")
    if front.words("reminds") or front.words("plan") or not message_id or not received:
        return None
    return Mail(
        task.id, moment(received), message_id, frozenset(_above(task.note)), address_of(front.words("from")),
        front.words("subject"), front.words("account"), frozenset(_marks(task.note)),
    )  # fmt: skip


def address_of(sender: str) -> str:
    """Of `Name ‹address›`, in small letters; empty when it is not sure which."""
    found = set(_ADDRESS.findall(sender))
    return found.pop().lower() if len(found) == 1 else ""


def _marks(note: Note) -> Iterator[tuple[str, str]]:
    text = note.body.partition("\n## Original")[2][:READ_OF_A_MAIL]
    return ((what, key) for what, find in guard.ONES_OWN for key, _ in find(text))


def _above(note: Note) -> Iterator[str]:
    kept = note.front.get("thread")
    return (str(id_) for id_ in kept) if isinstance(kept, list) else iter(())
