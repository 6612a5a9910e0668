"""What a commit asks of the folder, and putting back what the owner moved without deciding anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

from vault_protocol.errors import UntrustedHead
from vault_protocol.hub import REGULAR, BlobId, Change, CommitId, Store
from vault_protocol.mirror import names
from vault_protocol.mirror.base import Base, Record
from vault_protocol.mirror.bring import Bringer
from vault_protocol.mirror.items import Conflict, Item, PutBack, Vanished
from vault_protocol.mirror.look import Looker
from vault_protocol.mirror.place import Blocked, Folder


def differences(store: Store, base: Base, head: CommitId) -> tuple[dict[str, BlobId | None], dict[str, str]]:
    """Path → what it must hold now, and the paths that no folder may hold, with the reason."""
    wants: dict[str, BlobId | None] = {path: store.blob_id(head, path) for path in base.behind}
    refused: dict[str, str] = {}
    for change in _changes(store, base, head):
        reason = _never_placed(change)
        if reason is None:
            wants[change.path] = change.new
        else:
            refused[change.path] = reason
    return wants, refused


def adopt(base: Base, looker: Looker) -> None:
    """On a first run: remember what else lies in the folder, so that it counts for nothing until it changes."""
    for path, seen in looker.seen.items():
        if seen.found and seen.found.digest and not base.records.get(path) and not names.in_inbox(path):
            base.put(path, Record(None, seen.found.digest))


def put_back(
    items: Iterable[Item], folder: Folder, base: Base, bringer: Bringer, at_head: Callable[[str], BlobId | None]
) -> tuple[Item, ...]:
    """Run what a plan leaves to the mirror: put back, keep a copy, restore. Gives what was done."""
    done: list[Item] = []
    for item in items:
        kept = len(bringer.kept)
        try:
            if isinstance(item, PutBack) and item.clear:
                bringer.clear(item.path, item.clear)
            elif isinstance(item, PutBack | Conflict) and not base.is_recorded(item.path):
                folder.move(item.path, item.to if isinstance(item, PutBack) else item.copy)
            elif isinstance(item, PutBack | Conflict | Vanished):
                bringer.bring({item.path: at_head(item.path)})
            else:
                continue
        except (FileNotFoundError, FileExistsError):
            continue  # the owner was there first: the next look judges again
        except (Blocked, PermissionError) as error:
            bringer.blocked[item.path] = str(error)
            continue
        copies = bringer.kept[kept:]
        if isinstance(item, Conflict) and copies:
            item = Conflict(item.path, copies.pop().copy, item.reason)
        done += [item, *copies]
        del bringer.kept[kept:]
    folder.sync()
    return (*bringer.kept, *done)


def make_folders(folder: Folder, bringer: Bringer) -> None:
    """The folders a person drags into, also while nothing lies in them."""
    for name in names.FOLDERS:
        try:
            folder.make(name)
        except (Blocked, PermissionError) as error:
            bringer.blocked[name] = str(error)


def _changes(store: Store, base: Base, head: CommitId) -> Iterable[Change]:
    """What differs between the commit that the folder reflects and this one; where that is not known, every path that
    is not recorded as the head has it."""
    if base.whole and base.commit is not None:
        with suppress(UntrustedHead, KeyError):  # a new clone does not have that commit
            return store.changes(base.commit, head)
    there = {change.path: change for change in store.changes(None, head)}
    gone = (Change(path, None, None) for path in base.records if base.is_recorded(path) and path not in there)
    return [change for change in (*there.values(), *gone) if base.blob(change.path) != change.new]


def _never_placed(change: Change) -> str | None:
    if change.new is None:
        return None
    if change.mode != REGULAR:
        return f"it has mode {change.mode:o}, not that of a plain file"
    if names.in_inbox(change.path) or names.is_ignored(change.path):
        return "no commit has a place for it"
    return names.fault(change.path)
