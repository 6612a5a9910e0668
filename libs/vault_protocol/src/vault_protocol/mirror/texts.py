"""Reading what the owner wrote into a draft: does it hold, and does a commit already contain it?"""

from __future__ import annotations

from vault_protocol import notes, request
from vault_protocol.errors import MalformedNote
from vault_protocol.note import Note
from vault_protocol.task import Task

_OURS = frozenset({"status", "attempt", "revision", "owner", "lease_until", "finished", "edited_by"})
"""Front-matter keys that a move writes; what the owner's copy has there is not their text."""


def edited_task(path: str, content: bytes, task: Task) -> Task:
    """The owner's edit of the draft that was put at `path`. Raises MalformedNote when it cannot be decided on."""
    edited = notes.read(path, content)
    request.read(edited.note, path)
    if edited.attempt != task.attempt:
        raise MalformedNote(path, f"its attempt was changed from {task.attempt} to {edited.attempt}")
    return edited


def contains(committed: bytes, owners: bytes, base: bytes | None) -> bool:
    """Whether everything a person wrote in `owners` stands in `committed`.

    Body and front matter must be there word for word, but for the keys that moves write and what was so in `base`.
    """
    if committed == owners:
        return True
    try:
        there, mine = Note.parse(committed), Note.parse(owners)
        was = Note.parse(base).front if base is not None else None
    except MalformedNote:
        return False
    if mine.body.rstrip("\n") != there.body.rstrip("\n"):
        return False
    for key, value in mine.front.values.items():
        kept = key in there.front and there.front[key] == value
        if not kept and key not in _OURS and not (was and key in was and was[key] == value):
            return False
    comments = {line for line in mine.front.text.splitlines() if line.startswith("#")}
    return comments <= set(there.front.text.splitlines())


def remark(content: bytes) -> str:
    """What the owner wrote under `remark`."""
    try:
        return Note.parse(content).front.words("remark")
    except MalformedNote:
        return ""
