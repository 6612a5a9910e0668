"""What the owner did in their folder, carried out: decisions signed, edits published, dropped files made tasks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath

import structlog

from local_agent import account_notes, drop
from local_agent.account_notes import Seen
from local_agent.assemble import Local
from local_agent.decisions import How
from local_agent.follow_up import FOR_LOCAL
from local_agent.home import LOCAL
from local_agent.statements import KIND, movements
from vault_protocol.approval import Sign
from vault_protocol.audit import Record
from vault_protocol.canonical import sha256
from vault_protocol.errors import IllegalMove, MalformedNote, NoSuchTask, Refused, StaleRevision
from vault_protocol.keys import KeyLocked
from vault_protocol.mirror import (
    Conflict,
    Decided,
    DraftEdited,
    Dropped,
    Edited,
    Item,
    Mirror,
    PutBack,
    Removed,
    Unsynced,
    Vanished,
    Verdict,
)
from vault_protocol.note import Note
from vault_protocol.updates import Update
from vault_protocol.vault import Also

log = structlog.get_logger()

Notice = Callable[[str, str], None]
"""(path, words for the owner)"""


class Folder:
    """The caller of the mirror. Raises HubUnreachable: everything not yet published is still in the folder."""

    def __init__(self, local: Local, mirror: Mirror, sign: Sign, notice: Notice) -> None:
        self._local, self._mirror, self._sign, self._notice = local, mirror, sign, notice

    def act(self, item: Item) -> None:
        """Carry out one thing the owner did; what cannot be is said and stays as safe as it was."""
        match item:
            case Decided():
                self._decide(item)
            case Edited(path, content):
                self._publish(item, "owner_edit", {path: content})
            case Removed(path):
                self._publish(item, "owner_remove", {path: None})
            case Dropped():
                self._take_in(item)
            case PutBack(path, to, reason):
                if not _is_where_it_was_dragged(path, to):
                    self._notice(path, f"put back: {reason}")
                    self._tell("put_back", path)
            case Conflict(path, copy, reason):
                self._notice(path, f"your version is kept as {copy}: {reason}")
            case Vanished(path):
                log.info("note.restored", path=path)
            case DraftEdited() | Unsynced():
                pass

    def _decide(self, item: Decided) -> None:
        desk, vault = self._local.desk, self._local.vault
        try:
            task = vault.get(item.task)
            if task.revision != item.revision:
                raise StaleRevision(item.task, item.revision, task.revision)
            note = Note.parse(item.content, item.path) if item.edited else None
            match item.verdict:
                case Verdict.APPROVE:
                    desk.approve(task, sign=self._sign, how=How.FOLDER, note=note)
                case Verdict.REJECT:
                    desk.reject(task, why=item.remark, how=How.FOLDER)
                case Verdict.SEND_BACK:
                    desk.send_back(task, remark=item.remark, how=How.FOLDER)
                case Verdict.ACKNOWLEDGE:
                    desk.acknowledge(task, how=How.FOLDER)
            log.info("task.decided", task=item.task, verdict=item.verdict.value, how="folder")
        except KeyLocked:
            self._refuse(item, f"the key is locked: `countersign unlock`, or `countersign approve {item.task[:6]}`")
        except (StaleRevision, MalformedNote, IllegalMove, NoSuchTask, Refused) as error:
            self._refuse(item, str(error))

    def _refuse(self, item: Decided, reason: str) -> None:
        self._mirror.refuse(item, reason)
        self._notice(item.path, reason)
        self._tell("not_decided", item.path)

    def _publish(self, item: Edited | Removed, verb: str, edits: dict[str, bytes | None]) -> None:
        try:
            self._local.vault.write(verb, item.path.rpartition("/")[2][:60], edits)
        except Refused as error:
            self._mirror.refuse(item, f"stays on this machine: {error.reason}")
            self._notice(item.path, f"stays on this machine: {error.reason}")

    def _take_in(self, item: Dropped) -> None:
        local = self._local
        content = self._mirror.read(item.path)
        if content is None:
            return
        name = PurePosixPath(item.path).name
        now = local.clock.now()
        drop.keep(name, content, local.home.dropped)
        task = drop.task_of(name, content, secret=local.home.secret_bytes(), now=now)
        entries, edits = movements(name, content), {}
        if entries and local.settings.books:
            task = task.evolve(note=task.note.put(**{"type": KIND, "for": FOR_LOCAL}))
        if entries:
            digest = sha256(content)
            earlier = Seen(local.home.statements, local.home.secret_bytes()).earlier(digest, entries)
            note = account_notes.note_of(name, digest, entries, earlier, now)
            edits = {account_notes.path_of(digest, entries): note.content()}
        record = Record.of("file.taken_in", actor=LOCAL, target=task.id, at=now, parameters={"size": len(content)})
        update = Update.of("file_taken_in", now, task=task.id)
        local.vault.add(task, Also(records=[record], updates=[update], edits=edits))
        self._mirror.discard(item)

    def _tell(self, event: str, path: str) -> None:
        """A line for the dashboard, where the owner looks when a file jumps back."""
        name = PurePosixPath(path).name[:16]
        fact = {"task": name} if name.isalnum() and name.isascii() else {}
        update = Update.of(event, self._local.clock.now(), **fact)
        self._local.vault.write("tell", event, {}, Also(updates=[update]))


def _is_where_it_was_dragged(path: str, to: str) -> bool:
    """Whether a file only goes on from the folder it was dragged to: its decision was published before a restart."""
    decided = {"Approved": ("Approved", "Done"), "Rejected": ("Rejected",)}
    return to.partition("/")[0] in decided.get(path.partition("/")[0], ())
