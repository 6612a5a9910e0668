"""Drafts whose entry was moved, emptied, renamed or deleted: Local is asked to take back those that wait, and what was
approved already, which Cloud may not touch, is named beside the draft that came after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import structlog

from cloud_agent.posts.calendar import Entry, Place
from cloud_agent.posts.raising import FOLDER, id_of, read
from vault_protocol import plain
from vault_protocol.errors import MalformedNote, NoSuchTask
from vault_protocol.task import Domain, Stage, Task, TaskId
from vault_protocol.vault import Vault

log = structlog.get_logger()


def holds(vault: Vault, path: str, id_: TaskId) -> bool:
    """Whether the entry still plans this very post. One that cannot be read may be half written: it holds."""
    content = vault.journal.read(path)
    if content is None:
        return False
    entry = read(content)
    if isinstance(entry, Entry):
        return any(id_of(vault, path, entry, place) == id_ for place in entry.places)
    return entry != ""


def withdraw(vault: Vault) -> int:
    """Ask once for each draft that waits and does not hold any more; how many were asked for now."""
    asked = 0
    for task in tuple(_planned(vault, f"{Stage.PENDING_APPROVAL.value}/{Domain.SOCIAL.value}/")):
        signal = f"Signals/withdraw-{task.id}-{task.revision}.json"
        path = task.note.front.words("calendar")
        if task.has_action and not holds(vault, path, task.id) and vault.journal.read(signal) is None:
            vault.withdraw(task.id, task.revision)
            log.info("post.overtaken", task=task.id, revision=task.revision)
            asked += 1
    return asked


def approved_before(vault: Vault, path: str, place: Place) -> list[str]:
    """A warning for each post that this entry planned for the same account and that is approved but not out yet."""
    return [
        f"An earlier post of this entry is approved for {plain.one_line(task.note.front.words('not_before'), 40)} "
        f"and goes out too: {plain.one_line(task.note.front.words('subject'), 80)}. "
        f"Take it back: countersign undo {task.id}"
        for task in _planned(vault, f"{Stage.APPROVED.value}/")
        if task.note.front.words("calendar") == path
        and (task.note.front.words("network"), task.note.front.words("account")) == (place.network, place.account)
        and not holds(vault, path, task.id)
    ]


def _planned(vault: Vault, below: str) -> Iterator[Task]:
    for id_, where in tuple(vault.journal.where.items()):
        if not where.startswith(below):
            continue
        with suppress(NoSuchTask, MalformedNote):
            task = vault.get(id_)
            path = task.note.front.words("calendar")
            if task.domain is Domain.SOCIAL and path.startswith(f"{FOLDER}/") and path.endswith(".md"):
                yield task
