"""The second task that a done act leads to: its id follows from the first, so that a kill never makes two of it."""

from __future__ import annotations

from vault_protocol import later, request
from vault_protocol.action import PostInvoice
from vault_protocol.errors import VaultError
from vault_protocol.front_matter import FrontMatter
from vault_protocol.later import Then
from vault_protocol.note import Note
from vault_protocol.plain import fenced, one_line
from vault_protocol.request import Request
from vault_protocol.task import Domain, Stage, Task, TaskId, task_id
from vault_protocol.vault import Vault

FOR_LOCAL = "local"
"""In the front matter's `for`: no other agent takes such a task."""

KIND = "follow_up"

ORIGINAL = "## Original"

KEPT = ("from", "subject", "received", "account", "mailbox", "message_id")
"""What the second note has from the front matter of the first."""


def id_of(secret: bytes, first: TaskId) -> TaskId:
    return task_id(secret, mailbox="follow-up", message_id=first, content_sha256="")


def vouched(task: Task, vault: Vault, secret: bytes) -> Task:
    """The task as this machine made it, whatever another agent wrote into it since. Raises VaultError.

    Anybody may put a note into Needs_Action, and whoever claims one may change it. What counts is the first task in
    Done, which only this side ends, and the id, which only this machine's secret gives.
    """
    first = TaskId(task.note.front.words("follows"))
    if id_of(secret, first) != task.id:
        raise VaultError("this machine asked for no such task")
    ended = vault.get(first)
    asked = request.read(ended.note)
    _, _, number = ended.note.front.words("result").partition(" ")
    made = follow_up(ended, asked, number=number, secret=secret) if asked and ended.stage is Stage.DONE else None
    if made is None:
        raise VaultError(f"nothing follows from {first}")
    return made


def follow_up(task: Task, asked: Request, *, number: str, secret: bytes) -> Task | None:
    """What waits for Local once this task is done; None when nothing follows. `number` is the document's."""
    action, then = asked.action, later.then(task.note)
    if not isinstance(action, PostInvoice) or then is None:
        return None
    sold = action.move_type == "out_invoice"
    if sold is not (then is Then.REPLY):
        return None
    kept = {key: task.note.front.words(key) or None for key in KEPT}
    front = FrontMatter().put(
        **{"for": FOR_LOCAL}, type=KIND, follows=task.id, then=then.value, books=action.account,
        record=action.record, document=one_line(number, 60) or None,
        priority=task.note.front.words("priority") or "normal", **kept,
    )  # fmt: skip
    what = number or f"record {action.record}"
    done = fenced(f"{what} is posted: {action.total} {action.currency}, {action.partner.name}")
    body = f"\n# What follows from {task.id}\n\n{done}\n{_original(task.note)}"
    note = Note(front, body)
    text = later.text(task.note)
    return Task(
        id=id_of(secret, task.id), stage=Stage.NEEDS_ACTION, domain=Domain.EMAIL if sold else Domain.ACCOUNTING,
        slug=task.slug, note=later.put(note, then, text) if text else note,
    )  # fmt: skip


def is_ours(task: Task) -> bool:
    return task.note.front.words("for") == FOR_LOCAL


def _original(note: Note) -> str:
    """The first note's original, so that the owner need not look for it."""
    _, found, rest = f"\n{note.body}".partition(f"\n{ORIGINAL}")
    return f"{ORIGINAL}{rest}" if found else ""
