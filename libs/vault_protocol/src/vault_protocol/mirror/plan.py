"""What the owner did: base, folder and head, read as one list of items. Pure; `tasks` has the rules of the tasks."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from vault_protocol import layout, twins
from vault_protocol.hub import blob_id
from vault_protocol.mirror import names
from vault_protocol.mirror.items import Conflict, Dropped, Edited, Item, Removed, Unsynced, Vanished
from vault_protocol.mirror.place import Found, Kind
from vault_protocol.mirror.scene import Scene
from vault_protocol.mirror.tasks import task_items
from vault_protocol.note import LIMIT
from vault_protocol.task import TaskId

FIRST_RUN = "it was here before this folder was first mirrored; save it again to have it synced"


def plan(scene: Scene) -> tuple[Item, ...]:
    """What the owner did, by path."""
    if scene.first:
        return tuple(item for path in sorted(scene.seen) for item in _first_run(scene, path))
    if _folder_is_lost(scene):
        return tuple(Vanished(path) for path in sorted(scene.records) if scene.is_current(path) and scene.settled(path))
    items: list[Item] = []
    groups: dict[TaskId, list[str]] = {}
    for path in sorted(scene.seen):
        task = _task_of(scene, path)
        if task is not None:
            groups.setdefault(task, []).append(path)
        elif scene.settled(path):
            items += _recorded(scene, path) if scene.is_recorded(path) else _new(scene, path)
    for task, paths in groups.items():
        items += task_items(scene, task, paths)
    return tuple(_old_spelling_first(items))


def _old_spelling_first(items: list[Item]) -> list[Item]:
    """A name that only changed its case goes before it comes: the vault has no room for both."""
    new = {twins.fold(item.path) for item in items if isinstance(item, Edited)}
    return sorted(items, key=lambda item: not (isinstance(item, Removed) and twins.fold(item.path) in new))


def _task_of(scene: Scene, path: str) -> TaskId | None:
    """The recorded task that this file is, or whose id its name carries."""
    if scene.is_recorded(path):
        place = layout.place_of(path)
        return place.id if place else None
    found = names.id_in(path)
    return found if found in scene.where else None


def _folder_is_lost(scene: Scene) -> bool:
    """An empty folder is a disk that is not mounted, not a hundred deletions."""
    gone = 0
    for path in filter(scene.is_recorded, scene.records):
        seen = scene.seen.get(path)
        if seen is None or seen.found is not None:
            return False
        gone += 1
    return gone > 1


def _first_run(scene: Scene, path: str) -> Iterator[Item]:
    found = scene.seen[path].found
    if names.in_inbox(path):
        yield from _new(scene, path) if scene.settled(path) else ()
    elif found is not None and (head := scene.at_head(path)) is None:
        yield Unsynced(names.shown(path), names.fault(path) or FIRST_RUN)
    elif found is not None and (found.content is None or blob_id(found.content) != head):
        yield Conflict(path, scene.copy(path), "the vault has other text, and on a first run nothing here is trusted")


def _recorded(scene: Scene, path: str) -> Iterator[Item]:
    """A note that is no task, and is not as the mirror left it."""
    found, owners = scene.seen[path].found, names.is_owners(path)
    if found is None:
        if not owners:
            yield Vanished(path)
        elif scene.is_current(path):
            yield Vanished(path) if (path, "") in scene.refused else Removed(path)
    elif owners and found.kind is not Kind.FILE:
        yield Unsynced(path, f"a {found.kind} lies where a note was")
    elif owners:
        yield from _edited(scene, path, found)
    elif scene.is_current(path):
        yield Conflict(path, scene.copy(path), "only the assistant writes here")


def _edited(scene: Scene, path: str, found: Found) -> Iterator[Item]:
    if found.digest is None or found.content is None:
        yield Unsynced(names.shown(path), _unreadable(found))
        return
    head = scene.at_head(path)
    if head == blob_id(found.content):
        return
    known = head == (scene.records[path].blob if scene.is_recorded(path) else None)
    if not known and not scene.offered(path, sha256(scene.blob(head)).hexdigest() if head else ""):
        return
    reason = scene.refused.get((path, found.digest)) or scene.secret(found.content)
    yield Unsynced(path, reason) if reason else Edited(path, found.content)


def _new(scene: Scene, path: str) -> Iterator[Item]:
    """A file that the mirror did not put there."""
    found = scene.seen[path].found
    if found is None:
        return
    reason = _never_syncs(scene, path, found)
    if reason:
        yield Unsynced(names.shown(path), reason)
    elif not names.in_inbox(path):
        yield from _edited(scene, path, found)
    elif found.digest is not None:
        yield Dropped(path, found.stamp[2], found.digest)


def _never_syncs(scene: Scene, path: str, found: Found) -> str | None:
    if found.kind is not Kind.FILE:
        return f"a {found.kind} never syncs"
    if names.in_inbox(path):
        fault = names.fault(path) if names.is_secret_file(path) or not names.is_utf8(path) else None
        return fault or (_UNREADABLE if found.digest is None else None)
    if names.is_conflict(path):
        return "a conflict copy: take from it what you need, then delete it"
    if fault := names.fault(path):
        return fault
    if layout.task_named(path):
        return "its name is that of a task, but no such task is in the vault"
    if stage := names.stage_of(path):
        return f"{stage.value}/ holds the assistant's notes; drop files into {layout.INBOX}/"
    if not names.is_owners(path):
        return "only the assistant writes here"
    return None


def _unreadable(found: Found) -> str:
    return _UNREADABLE if found.digest is None else f"a note has at most {LIMIT // 1024} KiB"


_UNREADABLE = "it is too large, or cannot be read"
