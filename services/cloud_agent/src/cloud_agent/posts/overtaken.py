"""Drafts whose entry was moved, emptied, renamed or deleted: Local is asked to take back those that wait, and what was
approved already, which Cloud may not touch, is named beside the draft that came after it."""

from __future__ import annotations

from collections.abc import Iterator

import structlog

from cloud_agent.posts import goals, making, proposing
from cloud_agent.posts.finished import Finished
from social.calendar import Place, holds
from vault_protocol import layout, plain
from vault_protocol.hub import CommitId
from vault_protocol.task import Domain, Stage, Task
from vault_protocol.vault import Vault

log = structlog.get_logger()


class Overtaken:
    """`round` is called while nothing is held. Only another head changes what it finds."""

    def __init__(self) -> None:
        self._head: CommitId | None = None
        self._finished = Finished()

    def round(self, vault: Vault) -> None:
        """Ask for each draft that waits and does not hold any more; what was asked for already is not asked again."""
        if vault.journal.head == self._head:
            return
        gone = (
            *(task for task in _planned(vault, Stage.PENDING_APPROVAL) if not _stands(vault, task)),
            *self._unsaid(vault),
        )
        for task in gone:
            if task.has_action:
                before = vault.journal.head
                vault.withdraw(task.id, task.revision)
                if vault.journal.head != before:
                    log.info("post.overtaken", task=task.id, revision=task.revision)
        self._head = vault.journal.head

    def _unsaid(self, vault: Vault) -> Iterator[Task]:
        """Posts whose words were changed or taken out of the owner's goals or objectives."""
        tasks = [task for task in vault.tasks(Stage.PENDING_APPROVAL) if task.note.front.words("goal")]
        if not tasks:
            return
        posts = goals.read(vault.journal.read(layout.GOALS) or b"")
        words = tuple(proposing.words_of(vault, posts, self._finished))
        for task in tasks:
            front = task.note.front
            place = making.place_of(front.words("network"), front.words("account"))
            if place is None or all(one.key(place) != front.words("goal") for one in words):
                yield task


def _stands(vault: Vault, task: Task) -> bool:
    path = task.note.front.words("calendar")
    return holds(vault.journal.read(path), vault.journal.identity.vault, path, task.id)


def approved_before(vault: Vault, path: str, place: Place) -> list[str]:
    """A warning for each post that this entry planned for the same account and that is approved but not out yet."""
    return [
        f"An earlier post of this entry is approved for {plain.one_line(task.note.front.words('not_before'), 40)} "
        f"and goes out too: {plain.one_line(task.note.front.words('subject'), 80)}. "
        f"Take it back: countersign undo {task.id}"
        for task in _planned(vault, Stage.APPROVED)
        if task.note.front.words("calendar") == path
        and (task.note.front.words("network"), task.note.front.words("account")) == (place.network, place.account)
        and not _stands(vault, task)
    ]


def _planned(vault: Vault, stage: Stage) -> Iterator[Task]:
    """The posts of this stage that an entry of the calendar planned."""
    for task in vault.tasks(stage):
        if task.domain is Domain.SOCIAL and layout.in_calendar(task.note.front.words("calendar")):
            yield task
