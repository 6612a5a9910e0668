"""What the owner does not want to see for a while: a note for each in Snoozed/, which they can change and delete."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from drafting import handbook
from vault_protocol import layout
from vault_protocol.canonical import moment, utc
from vault_protocol.clock import Clock
from vault_protocol.errors import MalformedNote
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note
from vault_protocol.task import Stage, Task
from vault_protocol.vault import Vault

FOLDER = "Snoozed"
KIND = "snooze"
KEPT = timedelta(days=1)
"""How long a note stays after its time, so that the owner finds what they put off."""
_BODY = "\n# Put off\n\nChange `until` (a date, or a date and a time), or delete this note to see the draft at once.\n"
_FORMS = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M")


@dataclass(frozen=True)
class Snoozed:
    """Until when each revision is put aside. Another revision is news, and shown. Changes nothing about the draft."""

    vault: Vault
    clock: Clock

    def put(self, task: Task, until: datetime) -> None:
        """Raises what a publish raises."""
        front = FrontMatter().put(
            type=KIND, task=task.id, revision=task.revision, subject=task.note.front.words("subject") or None,
            until=utc(until),
        )  # fmt: skip
        self.vault.write("snooze", task.id, {path_of(task): Note(front, _BODY).content()})

    def wake(self, task: Task) -> None:
        """Raises what a publish raises."""
        if self.vault.journal.read(path_of(task)) is not None:
            self.vault.write("wake", task.id, {path_of(task): None})

    def until(self, task: Task) -> datetime | None:
        """None once its time is over, and for a note that says no time: what is in doubt is shown."""
        note = self._read(path_of(task))
        if note is None or note.front.words("revision") != str(task.revision):
            return None
        then = self._until(note)
        return then if then is not None and then > self.clock.now() else None

    def clear(self) -> None:
        """Take away the notes whose time is over, or whose task no longer waits. Raises what a publish raises."""
        past: dict[str, bytes | None] = dict.fromkeys(self._past())
        if past:
            self.vault.write("wake", f"{len(past)} snoozed", past)

    def _past(self) -> Iterator[str]:
        journal, now = self.vault.journal, self.clock.now()
        paths = [path for path, _ in journal.store.paths(journal.head, FOLDER)] if journal.head else []
        waiting = {path_of(task) for task in self.vault.tasks(Stage.PENDING_APPROVAL)} if paths else set[str]()
        for path in paths:
            note = self._read(path)
            if note is None or note.front.words("type") != KIND:
                continue
            then = self._until(note)
            if path not in waiting or (then is not None and then + KEPT <= now):
                yield path

    def _read(self, path: str) -> Note | None:
        content = self.vault.journal.read(path)
        try:
            return Note.parse(content, path) if content is not None else None
        except MalformedNote:
            return None

    def _until(self, note: Note) -> datetime | None:
        """As we write it, or as a person does: in the zone of their working hours, from the beginning of a day."""
        said = note.front.words("until").strip()
        with suppress(ValueError):
            return moment(said)
        for form in _FORMS:
            with suppress(ValueError, OverflowError):
                return datetime.strptime(said, form).replace(tzinfo=self._zone()).astimezone(UTC)
        return None

    def _zone(self) -> tzinfo:
        text = (self.vault.journal.read(layout.HANDBOOK) or b"").decode("utf-8", "replace")
        return handbook.read(handbook.in_scope(text, None)).zone(UTC)


def path_of(task: Task) -> str:
    """One for each task; no note of a task may be called by its id alone."""
    return f"{FOLDER}/snooze-{task.id}.md"
