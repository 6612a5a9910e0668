"""From each entry of the calendar that is near to one task for each network, once: its id follows from the entry."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import structlog

from cloud_agent.owners_notes import OwnersNotes
from social.calendar import Entry, id_of, read
from vault_protocol import layout, plain
from vault_protocol.audit import Record
from vault_protocol.canonical import utc
from vault_protocol.clock import Clock
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note
from vault_protocol.task import AgentId, Domain, Stage, Task, TaskId
from vault_protocol.updates import Update
from vault_protocol.vault import Also, Vault

log = structlog.get_logger()

AHEAD = timedelta(days=7)
"""How long before its time an entry is drafted."""
LATE = timedelta(hours=24)
"""An entry that was over for longer when it was first seen is not posted any more."""
MOST = 200
"""Entries that are looked at."""


class Calendar:
    """`round` is called while nothing is held. What it remembers stands in the vault."""

    def __init__(self, agent: AgentId, clock: Clock) -> None:
        self._agent, self._clock = agent, clock
        self._notes = OwnersNotes(layout.CALENDAR, read, most=MOST)

    def round(self, vault: Vault) -> int:
        """How many tasks were raised now."""
        now = self._clock.now()
        tasks = [task for note in self._notes.look(vault) for task in tasks_of(vault, note.path, note.read, now)]
        return sum(self._raise(vault, task) for task in tasks if task.id not in vault.journal.where)

    def _raise(self, vault: Vault, task: Task) -> bool:
        now, network = self._clock.now(), task.note.front.words("network")
        record = Record.of(
            "post.planned", actor=self._agent, target=task.id, at=now, parameters={"network": network or "none"}
        )
        added = vault.add(task, Also([record], [Update.of("planned", now, task=task.id)]))
        if added:
            log.info("post.planned", task=task.id, network=network)
        return added


def tasks_of(vault: Vault, path: str, entry: Entry | str, now: datetime) -> Iterator[Task]:
    """What is near enough. An entry that cannot be read is one task, which asks the owner."""
    if entry == "":
        return
    name = plain.slug(path.removeprefix(f"{layout.CALENDAR}/").removesuffix(".md")) or "post"
    front = FrontMatter().put(type="post", calendar=path, received=utc(now), priority="normal")
    if not isinstance(entry, Entry):
        front = front.put(subject=plain.one_line(f"Calendar: {name}", 80))
        body = f"\n# An entry of the calendar that cannot be read\n\n{plain.fenced(entry)}"
        yield _task(id_of(vault.journal.identity.vault, path, entry, None), name, front, body)
        return
    if not now - LATE <= entry.at <= now + AHEAD:
        return
    for place in entry.places:
        title = entry.title or name
        own = front.put(
            subject=title, network=place.network, account=place.account, due=utc(entry.at), not_before=utc(entry.at)
        )
        body = f"\n# {title}\n\n## Original\n\n{plain.fenced(entry.words_for(place.network))}"
        id_ = id_of(vault.journal.identity.vault, path, entry, place)
        yield _task(id_, f"{place.network}-{name}"[:40].strip("-"), own, body)


def _task(id_: TaskId, slug: str, front: FrontMatter, body: str) -> Task:
    return Task(id=id_, stage=Stage.NEEDS_ACTION, domain=Domain.SOCIAL, slug=slug, note=Note(front, body))
