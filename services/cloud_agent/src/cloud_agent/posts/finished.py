"""Finished work that may be told: the sentence that the owner wrote for it into the note of its plan."""

from __future__ import annotations

from collections.abc import Iterator

from cloud_agent.owners_notes import OwnersNotes
from cloud_agent.plans import objectives
from cloud_agent.plans import plan as plans
from cloud_agent.posts.goals import Words
from drafting import handbook as handbooks
from vault_protocol import layout, plain
from vault_protocol.errors import MalformedNote
from vault_protocol.task import Stage, TaskId
from vault_protocol.vault import Vault

TELLABLE = "finished work"
"""As the Handbook names it: `May be told: finished work`."""


class Finished:
    """Of a plan only `tell` and `objective` are read, which are the owner's; no mail, draft or figure of it is."""

    def __init__(self) -> None:
        self._notes = OwnersNotes(objectives.FOLDER, _told, most=objectives.MOST)

    def look(self, vault: Vault) -> Iterator[Words]:
        """Nothing unless the Handbook says, for all or for business, that finished work may be told."""
        handbook = (vault.journal.read(layout.HANDBOOK) or b"").decode("utf-8", "replace")
        rules = handbooks.read(handbooks.text_for(handbook, "business"))
        if TELLABLE not in {told.strip().rstrip(".").casefold() for told in rules.tellable}:
            return
        for path, _, told in self._notes.look(vault):
            task = objectives.id_of(vault.journal.identity.vault, path)
            place = layout.place_of(vault.journal.where.get(task, ""))
            if told and place is not None and place.stage is Stage.DONE and not _was_stopped(vault, task):
                yield Words(theme=told[0], text=told[1], source=path)


def _was_stopped(vault: Vault, task: TaskId) -> bool:
    """Whether the owner ended the plan before its end."""
    where = plans.path_of(task)
    try:
        return plans.read(vault.journal.read(where) or b"", where).stopped
    except MalformedNote:
        return False


def _told(content: bytes) -> tuple[str, str] | None:
    """Objective and sentence of a note that has both."""
    note = objectives.note_of(content)
    if isinstance(note, objectives.Unreadable) or note.front.words("type") != objectives.KIND:
        return None
    text = plain.visible(note.front.words("tell"), pictures=True).strip()
    return (plain.one_line(note.front.words("objective"), 80) or "Finished", text) if text else None
