"""One request as the owner has to see it: the action, Local's own check of it, and an edit that waits in the folder."""

from __future__ import annotations

import difflib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_agent import ages
from local_agent.assemble import Local
from local_agent.check import Check
from vault_protocol import layout, notes, request
from vault_protocol.errors import MalformedNote, VaultError
from vault_protocol.note import LIMIT, Note
from vault_protocol.request import Request
from vault_protocol.task import Stage, Task


@dataclass(frozen=True)
class Draft:
    """A task with what stands in it. `request` is None when it asks for nothing to be done."""

    task: Task
    request: Request | None
    check: Check | None
    edit: FolderEdit | None = None
    fault: str = ""
    """Why the note's request cannot be read."""


@dataclass(frozen=True)
class FolderEdit:
    """The owner changed the file and has not decided yet. `note` is None when it does not hold, `fault` says why."""

    note: Note | None
    diff: str
    fault: str = ""


def open_draft(local: Local, id_: str, *, look: bool = True) -> Draft:
    """With `look`, an original that was not found before is looked for again. Raises NoSuchTask, MalformedNote."""
    task = local.vault.get(id_)
    try:
        found = request.read(task.note)
    except MalformedNote as error:
        return Draft(task, None, None, fault=error.reason)
    waiting = task.stage is Stage.PENDING_APPROVAL
    check = None
    if found is not None:
        check = local.judge.check(task, again=True) if look and waiting else local.judge.known(task)
    return Draft(task, found, check, folder_edit(local, task) if waiting else None)


def folder_edit(local: Local, task: Task) -> FolderEdit | None:
    """What the owner's file says differently from the vault; None when it says the same, or is not there."""
    path, in_vault = notes.write(task)
    if local.vault.journal.read(path) is not None:
        in_vault = local.vault.journal.read(path) or b""
    content = _plain_file(local.settings.folder / path)
    if content is None or content == in_vault:
        return None
    diff = _diff(in_vault, content)
    try:
        note = Note.parse(content, path)
        if request.read(note, path) is None:
            return FolderEdit(None, diff, "the request block is gone from it")
    except MalformedNote as error:
        return FolderEdit(None, diff, error.reason)
    return FolderEdit(note, diff)


def with_edit(local: Local, draft: Draft) -> Draft:
    """The draft as the owner's file has it, checked anew. Raises VaultError when that text does not hold."""
    edit = draft.edit
    if edit is None:
        return draft
    if edit.note is None:
        raise VaultError(f"the edited file of {draft.task.id} does not hold: {edit.fault}")
    edited = draft.task.evolve(note=edit.note)
    return Draft(draft.task, request.read(edit.note), local.judge.check(edited, again=True), edit)


def as_json(local: Local, draft: Draft) -> dict[str, Any]:
    """One row of `list --json`."""
    task, now = draft.task, local.clock.now()
    front, asked = task.note.front, ages.since(task)
    return {
        "id": task.id, "stage": task.stage.value, "domain": task.domain.value, "revision": task.revision,
        "path": layout.path_of(task), "priority": front.words("priority") or "normal", "type": front.words("type"),
        "from": front.words("from"), "subject": front.words("subject"), "received": front.words("received"),
        "asks": draft.request.action.type if draft.request else "",
        "age_seconds": int((now - asked).total_seconds()) if asked else None,
        "stale": task.stage is Stage.PENDING_APPROVAL and ages.stale(task, now),
        "warnings": list(draft.request.warnings) if draft.request else [],
        "check": check_state(draft), "fault": draft.fault, "edited_in_folder": draft.edit is not None,
    }  # fmt: skip


def check_state(draft: Draft) -> str:
    """`ok`, `warnings`, `mismatch`, `unchecked`, or empty when there is nothing to check."""
    if draft.request is None:
        return "malformed" if draft.fault else ""
    check = draft.check
    if check is None or not check.original:
        return "unchecked"
    if check.mismatches:
        return "mismatch"
    return "warnings" if check.warnings else "ok"


def _plain_file(path: Path) -> bytes | None:
    """The bytes of a plain file; no link is followed, nothing is waited for."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        return file.read(LIMIT + 1) if stat.S_ISREG(os.fstat(handle).st_mode) else None


def _diff(old: bytes, new: bytes) -> str:
    before, after = (part.decode("utf-8", "replace").splitlines() for part in (old, new))
    return "\n".join(difflib.unified_diff(before, after, "the draft", "your file", lineterm="", n=1))
