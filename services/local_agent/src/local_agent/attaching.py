"""Files that the owner puts into a mail that waits for them: what is signed then names them, and they stay here."""

from __future__ import annotations

import mimetypes
import secrets
from pathlib import Path

from correspondence.attachments import RUNS, safe_name
from correspondence.forward import NO_FILE
from correspondence.forward_action import MOST_BYTES, MOST_FILES
from local_agent.assemble import Local, own_secrets
from local_agent.attachments import Attachments
from local_agent.decisions import How
from local_agent.drafts import open_draft
from vault_protocol import request
from vault_protocol.action import Attachment, BadAction, MailAction, action_of
from vault_protocol.canonical import sha256
from vault_protocol.errors import IllegalMove, VaultError
from vault_protocol.request import Request
from vault_protocol.task import Stage, Task


class CannotAttach(VaultError):
    """This file does not go into this mail; the message says why."""


def read(path: Path) -> bytes:
    """The bytes of a file that a mail can carry. Raises CannotAttach."""
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise CannotAttach(f"{path.name} is no file")
        if size > MOST_BYTES:
            raise CannotAttach(f"{path.name} is {size} bytes; a mail carries {MOST_BYTES} at most, with all its files")
        return path.read_bytes()
    except OSError as error:
        raise CannotAttach(f"cannot read {path}: {type(error).__name__}") from None


def attach(local: Local, id_: str, name: str, content: bytes, how: How) -> tuple[Task, Attachment]:
    """Put this file into the mail that waits; its next revision, and the file as the mail names it. Raises
    CannotAttach, IllegalMove for what is no mail that waits."""
    task, asked, mail = _waiting(local, id_)
    shown = safe_name(name, set())
    if not shown:
        raise CannotAttach("the file has no name that a mail could give it")
    if sha256(content) in {file.sha256 for file in mail.attachments}:
        raise CannotAttach("this very file is attached already")
    _hold(local, mail, shown, content)
    kept = Attachments(local.home.attachments).keep(
        content, name=shown, media_type=media_type(shown), task=task.id, origin="attached by you"
    )
    told = asked.warnings
    if RUNS.fullmatch(shown.rpartition(".")[2]):
        told = (*told, f"{kept.name} is of a kind that can run a program; many mail servers refuse it.")
    return _put(local, task, asked, mail, (*mail.attachments, kept), told, how), kept


def take_out(local: Local, id_: str, number: int, how: How) -> tuple[Task, Attachment]:
    """The same without its file of this number, counted from 1. Raises CannotAttach, IllegalMove."""
    task, asked, mail = _waiting(local, id_)
    if not 1 <= number <= len(mail.attachments):
        raise CannotAttach(f"{task.id} attaches {len(mail.attachments)} files; there is no number {number}")
    gone = mail.attachments[number - 1]
    left = (*mail.attachments[: number - 1], *mail.attachments[number:])
    put = _put(local, task, asked, mail, left, asked.warnings, how)
    if gone not in left:
        Attachments(local.home.attachments).drop(gone, task=task.id)  # no later draft of this task may carry it
    return put, gone


def media_type(name: str) -> str:
    """What the file says it is by its name."""
    guessed, packed = mimetypes.guess_type(name)
    return guessed if guessed and not packed and not guessed.startswith(NO_FILE) else "application/octet-stream"


def _waiting(local: Local, id_: str) -> tuple[Task, Request, MailAction]:
    draft = open_draft(local, id_, look=False)
    task, asked = draft.task, draft.request
    if task.stage is not Stage.PENDING_APPROVAL or asked is None or not isinstance(asked.action, MailAction):
        raise IllegalMove(f"task {task.id} holds no mail that waits for you")
    if draft.edit is not None:
        raise CannotAttach(
            f"the folder holds an edited text of {task.id}; approve it with --edited first, or delete it"
        )
    return task, asked, asked.action


def _hold(local: Local, mail: MailAction, name: str, content: bytes) -> None:
    if not content:
        raise CannotAttach(f"{name} is empty")
    if len(mail.attachments) >= MOST_FILES:
        raise CannotAttach(f"a mail carries {MOST_FILES} files at most, and this one has them")
    total = len(content) + sum(file.size for file in mail.attachments)
    if total > MOST_BYTES:
        raise CannotAttach(f"with {name} its files are {total} bytes; a mail carries {MOST_BYTES} at most")
    if own_secrets(local.home, local.settings).found_in(content):
        raise CannotAttach(f"{name} holds a secret of this machine")


def _put(
    local: Local, task: Task, asked: Request, mail: MailAction, files: tuple[Attachment, ...], told: tuple[str, ...],
    how: How,
) -> Task:  # fmt: skip
    prose = {name: str(getattr(mail, name)) for name in mail.prose}
    fields = {**mail.fields(), "attachments": [file.model_dump(mode="json") for file in files]}
    try:
        note = request.put(task.note, Request(secrets.token_hex(8), action_of(fields, **prose), told, asked.unknowns))
    except BadAction as error:
        raise CannotAttach(str(error)) from None
    return local.desk.edit(task, note, how=how)
