"""When moving or editing a task's note means something, and what. Pure: the rules of "Two views of the vault"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vault_protocol import layout, notes
from vault_protocol.errors import MalformedNote
from vault_protocol.layout import Place
from vault_protocol.mirror import names, texts
from vault_protocol.mirror.items import Conflict, Decided, DraftEdited, Item, PutBack, Unsynced, Vanished, Verdict
from vault_protocol.mirror.place import Found, Kind
from vault_protocol.mirror.scene import Scene
from vault_protocol.task import Stage, Task, TaskId

_SAYS = {
    Stage.APPROVED: Verdict.APPROVE,
    Stage.REJECTED: Verdict.REJECT,
    Stage.NEEDS_ACTION: Verdict.SEND_BACK,
    Stage.DONE: Verdict.ACKNOWLEDGE,
}
"""What the folder says that a note was moved to."""

_SENT_BACK_FROM = frozenset({Stage.PENDING_APPROVAL, Stage.REJECTED, Stage.QUARANTINE})

SECOND = "a second file with the id of a task is no task; what counts is {path}"


def task_items(scene: Scene, task: TaskId, paths: Sequence[str]) -> Iterator[Item]:
    """What the owner did to one task, whose note lies at `where[task]` if they did nothing."""
    home = scene.where[task]
    if not scene.is_current(home):
        return
    gone = home in scene.seen and scene.seen[home].found is None
    strays = [path for path in paths if path != home and not scene.is_recorded(path) and scene.seen[path].found]
    moved = [path for path in strays if _may_be_it(scene, home, path)]
    if gone and len(moved) == 1:
        yield from _moved(scene, home, moved[0])
        strays.remove(moved[0])
    elif gone and scene.settled(home):
        yield Vanished(home)
    elif home in scene.seen and not gone:
        yield from _edited(scene, home)
    for path in strays:
        yield from _second(scene, home, path)
    others = (path for path in paths if path != home and scene.is_recorded(path))
    yield from (Vanished(path) for path in others if scene.is_current(path) and scene.settled(path))


def _may_be_it(scene: Scene, home: str, path: str) -> bool:
    """Whether this file may be the moved note: not a copy by its name, not an older version by its bytes."""
    found = scene.seen[path].found
    assert found is not None
    if found.kind is not Kind.FILE or names.is_conflict(path) or not path.endswith(".md"):
        return False
    if names.is_copy(path) and not layout.task_named(path):
        return False
    return not _is_stale(scene, home, found)


def _is_stale(scene: Scene, home: str, found: Found) -> bool:
    """Whether these are bytes of this task that the vault has, but as an earlier version."""
    return found.digest != scene.records[home].digest and scene.knows(home, found.digest)


def _moved(scene: Scene, home: str, path: str) -> Iterator[Item]:
    """The one file that is the moved note: a decision, or it goes back."""
    found = scene.seen[path].found
    assert found is not None
    edited = found.digest != scene.records[home].digest
    together = scene.seen[path].since >= scene.seen[home].since
    if not scene.settled(path if edited else home) and (edited or not together):
        return
    if edited and found.content is None:
        yield Conflict(path, scene.copy(home), "it is too large for a note, or cannot be read")
        return
    content = found.content if edited and found.content is not None else scene.recorded(home)
    try:
        task = notes.read(home, scene.recorded(home))
        decided = texts.edited_task(home, content, task) if edited else task
    except MalformedNote as error:
        yield Conflict(path, scene.copy(home), error.reason) if edited else PutBack(path, home, error.reason)
        return
    stage = names.stage_of(path)
    verdict = _SAYS.get(stage) if stage else None
    reason = scene.refused.get((path, found.digest or "")) or _objection(scene, verdict, task, decided)
    if edited and not reason and verdict is Verdict.APPROVE:
        reason = scene.secret(content)
    if reason or verdict is None:
        yield PutBack(path, home, reason or "")
    else:
        remark = texts.remark(content)
        said = remark if remark != texts.remark(scene.recorded(home)) else ""
        yield Decided(path, task.id, task.revision, verdict, content, edited, said)


def _objection(scene: Scene, verdict: Verdict | None, task: Task, decided: Task) -> str | None:
    """Why this move decides nothing, or None."""
    if verdict is Verdict.SEND_BACK and task.stage in _SENT_BACK_FROM:
        return None
    if verdict is None or task.stage is not Stage.PENDING_APPROVAL:
        return f"moving a note out of {task.stage.value}/ to here decides nothing"
    if verdict is Verdict.ACKNOWLEDGE:
        return "it asks to be approved or rejected; nothing is done yet" if task.has_action else None
    if verdict is Verdict.APPROVE and not task.has_action:
        return f"it asks for nothing to be done; move it to {Stage.DONE.value}/"
    why = scene.quick(task) or (scene.quick(decided) if decided is not task else None)
    return f"{why}: confirm with `countersign {verdict.value} {task.id}` or on the page" if why else None


def _edited(scene: Scene, home: str) -> Iterator[Item]:
    """A task's note that was changed where it lies."""
    found = scene.seen[home].found
    if found is None or not scene.settled(home):
        return
    place = layout.place_of(home)
    assert place is not None
    if found.digest is not None and _is_stale(scene, home, found):
        yield PutBack(home, home, "it is an older version of this note")
    elif place.stage is Stage.PENDING_APPROVAL and found.kind is Kind.FILE:
        yield _draft(scene, home, place, found)
    else:
        yield Conflict(home, scene.copy(home), f"notes in {place.stage.value}/ change through the assistant only")


def _draft(scene: Scene, home: str, place: Place, found: Found) -> Item:
    if found.content is None:
        return Unsynced(home, "it is too large for a note, or cannot be read")
    try:
        texts.edited_task(home, found.content, notes.read(home, scene.recorded(home)))
    except MalformedNote as error:
        return Unsynced(home, f"your edit does not hold: {error.reason}")
    return DraftEdited(home, place.id, place.revision, found.content)


def _second(scene: Scene, home: str, path: str) -> Iterator[Item]:
    """Another file with the id of a task. Only versions that a commit holds are ever cleared away."""
    found, stage = scene.seen[path].found, names.stage_of(path)
    if found is None or not scene.settled(path):
        return
    place = layout.place_of(home)
    changed = found.digest is not None and found.digest != scene.records[home].digest
    if stage and changed and _is_stale(scene, home, found):
        yield PutBack(path, home, "it is an older version of this note", found.digest or "")
    elif (
        changed and place and stage is place.stage and found.content
        and texts.contains(scene.recorded(home), found.content, None)
    ):  # fmt: skip
        yield PutBack(path, home, "all that is in it is in the note", found.digest or "")
    else:
        yield Unsynced(names.shown(path), SECOND.format(path=home))
