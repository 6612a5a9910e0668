"""What an erasure takes out of the tree: a note and all that is named after it; where a task stood, a stub stays."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from vault_protocol import layout, notes
from vault_protocol.canonical import utc
from vault_protocol.errors import MalformedNote, VaultError
from vault_protocol.front_matter import FrontMatter
from vault_protocol.hub import CommitId, Edits, Store
from vault_protocol.layout import Place
from vault_protocol.note import Note
from vault_protocol.task import Domain, Stage, Task

KEPT = ("Logs/", "Approvals/")
"""They hold ids, digests and times, no text from outside, and prove what was done."""

ERASED = "erased"


def erasure(store: Store, head: CommitId, names: Iterable[str], *, now: datetime) -> Edits:
    """The edits that erase these: paths, folders, or task ids. Raises VaultError for what is not there or has to stay.

    The stub keeps the id, the domain, how it ended and when. It holds no text and no word of the subject.
    """
    there = dict(store.paths(head))
    edits: dict[str, bytes | None] = {}
    for name in names:
        found = [path for path in there if path == name or path.startswith(name.rstrip("/") + "/")]
        found = found or [path for path in there if _stands_for(path, name)]
        if not found:
            raise VaultError(f"nothing to erase: {name} is no path and no task in the vault")
        for path in found:
            if path.startswith(KEPT):
                raise VaultError(f"{path} stays: it holds no text, and it proves what was done")
            edits |= _without(store, head, there, path, now)
    return edits


def _stands_for(path: str, task: str) -> bool:
    place = layout.place_of(path)
    return place is not None and len(task) >= 6 and place.id.startswith(task)


def _without(store: Store, head: CommitId, there: Iterable[str], path: str, now: datetime) -> Edits:
    place = layout.place_of(path)
    if place is None:
        return {path: None}
    if place.stage is Stage.APPROVED:
        raise VaultError(f"task {place.id} is approved: `countersign undo` it, or wait until its effect has ended")
    named = {other: None for other in there if place.id in other and not other.startswith(KEPT)}
    stub, content = notes.write(_stub(place, _read(store, head, path), now))
    return {**named, stub: content}


def _read(store: Store, head: CommitId, path: str) -> Task | None:
    try:
        return notes.read(path, store.read(head, path) or b"")
    except MalformedNote:
        return None


def _stub(place: Place, task: Task | None, now: datetime) -> Task:
    """It has ended, where it had; what had not ended, ends."""
    ended = place.stage in layout.BY_MONTH and task is not None and task.finished is not None
    front = FrontMatter().put(title="Erased", erased=utc(now))
    result = task.note.front.words("result") if task is not None and ended else ERASED
    if result.isascii() and result.isalpha():
        front = front.put(result=result)
    return Task(
        id=place.id, stage=place.stage if ended else Stage.DONE, domain=task.domain if task else Domain.EMAIL,
        attempt=task.attempt if task else 0, revision=task.revision if task else place.revision,
        finished=task.finished if task is not None and ended else now, note=Note(front, ""),
    )  # fmt: skip
