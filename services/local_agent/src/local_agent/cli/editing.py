"""`edit`: the draft's text in the owner's editor, published as the next revision."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from local_agent.approving import NotApproved
from local_agent.chats.letters import Letters
from local_agent.cli.approving import sign_and_publish
from local_agent.cli.passphrases import FdOption, sign_for
from local_agent.cli.session import HomeOption, IdArgument, JsonOption, Session
from local_agent.cli.show_draft import show_draft
from local_agent.decisions import How
from local_agent.drafts import open_draft
from local_agent.own_text import as_typed, with_text
from vault_protocol.errors import IllegalMove, VaultError
from vault_protocol.task import Stage, Task


def edit(
    id_: IdArgument,
    home: HomeOption = None,
    text_file: Annotated[
        Path | None, typer.Option("--text-file", help="Take the new text from this file instead of the editor.")
    ] = None,
    approve: Annotated[
        bool | None, typer.Option("--approve/--no-approve", help="Approve it right away, or do not ask.")
    ] = None,
    passphrase_fd: FdOption = None,
    json_: JsonOption = False,
) -> None:
    """Change the text of a draft. The recipients and the rest stay as they are."""
    session = Session(home, json_)
    local = session.decide()
    draft = open_draft(local, id_)
    task = draft.task
    if task.stage is not Stage.PENDING_APPROVAL or draft.request is None:
        raise IllegalMove(
            f"task {task.id} holds no draft that waits for you{': ' + draft.fault if draft.fault else ''}"
        )
    letters = Letters(local.home.chats)
    action = letters.opened(draft.request.action)
    if "text" not in action.prose:
        raise IllegalMove(f"task {task.id} holds no text of its own; ask for another with `again`")
    before = str(getattr(action, "text", ""))
    if draft.edit is not None:
        raise VaultError(
            f"the folder holds an edited text of {task.id} already; approve it with --edited, or delete it"
        )
    text = _read(text_file) if text_file else _in_editor(before, session.home.socket.parent)
    text = as_typed(text)
    if text == before:
        session.say("Nothing was changed.")
        session.answer({"id": task.id, "revision": task.revision, "changed": False})
        return
    edited = local.desk.edit(task, with_text(task, draft.request, text, letters), how=How.COMMAND)
    session.poke()
    session.say(f"Your text of {task.id} is revision {edited.revision} now.", "green")
    if approve is None:
        approve = not session.as_json and session.can_ask and _shown_and_confirmed(session, edited)
    if not approve:
        session.answer({"id": task.id, "revision": edited.revision, "changed": True})
        return
    again = open_draft(local, task.id)
    if again.check is not None and again.check.mismatches:
        raise NotApproved(f"{again.check.mismatches[0]}; see `countersign show {task.id[:6]}`")
    sign_and_publish(session, local, [again], sign_for(session, passphrase_fd))


def _shown_and_confirmed(session: Session, edited: Task) -> bool:
    show_draft(session, session.local, open_draft(session.local, edited.id), original=False)
    return session.confirm("Countersign it?")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise VaultError(f"cannot read {path}: {type(error).__name__}") from None


def _in_editor(text: str, folder: Path) -> str:
    """Only the owner may read the file, and it is gone afterwards."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(prefix="draft-", suffix=".txt", dir=folder)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        try:
            done = subprocess.run([*shlex.split(editor), name], check=False)
        except (OSError, ValueError) as error:
            raise VaultError(f"cannot start the editor {editor!r} ({type(error).__name__}); set $EDITOR") from None
        if done.returncode != 0:
            raise VaultError(f"the editor ended with {done.returncode}; nothing was changed")
        return _read(Path(name))
    finally:
        Path(name).unlink(missing_ok=True)
