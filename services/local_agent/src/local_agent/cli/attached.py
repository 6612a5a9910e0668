"""`files`: what a draft would attach, by name, type and size; opened or saved from this machine's own bytes."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer

from correspondence.attachments import safe_name
from local_agent.assemble import Local
from local_agent.attachments import Attachments, NoSuchFile
from local_agent.cli.session import HomeOption, IdArgument, JsonOption, Session
from local_agent.pictures import Pictures, as_file
from vault_protocol import request
from vault_protocol.action import Attachment, MailAction, PublishPost
from vault_protocol.errors import VaultError
from vault_protocol.files import write_private
from vault_protocol.task import Task


def files(
    id_: IdArgument,
    home: HomeOption = None,
    open_: Annotated[int | None, typer.Option("--open", min=1, help="Open the file with this number.")] = None,
    save: Annotated[Path | None, typer.Option("--save", help="Copy all into this folder.")] = None,
    json_: JsonOption = False,
) -> None:
    """The files a draft would send, as this machine keeps them."""
    session = Session(home, json_)
    local = session.look()
    task = local.vault.get(id_)
    attached = attached_to(task)
    kept = kept_for(local, task)
    rows = [row(kept, task, file) for file in attached]
    for number, found in enumerate(rows, 1):
        style = "" if found["here"] else "bold red"
        session.say(
            f"{number}  {found['name']}  ({found['media_type']}, {found['size']} bytes)  {found['origin']}", style
        )
    if not attached:
        session.say("It attaches nothing.")
    if save is not None:
        for file in attached:
            _put(save.expanduser(), file, kept.read(file))
        session.say(f"Saved to {save}.", "green")
    if open_ is not None:
        if open_ > len(attached):
            raise VaultError(f"{task.id} attaches {len(attached)} files; there is no number {open_}")
        file = attached[open_ - 1]
        _open(_put(local.home.path / "run" / "opened" / file.sha256[:16], file, kept.read(file)))
    session.answer({"id": task.id, "files": rows})


class Kept(Protocol):
    """Files of this machine: `attachments.Attachments`, or the pictures of a post."""

    def read(self, attachment: Attachment, /) -> bytes: ...

    def origin(self, attachment: Attachment, /, *, task: str) -> str | None: ...


def attached_to(task: Task) -> tuple[Attachment, ...]:
    """What the draft of a task names: the files of a mail, the pictures of a post."""
    asked = request.read(task.note)
    match asked and asked.action:
        case MailAction(attachments=files):
            return files
        case PublishPost(media=media):
            return tuple(map(as_file, media))
    return ()


def kept_for(local: Local, task: Task) -> Kept:
    """Where the files of this draft are kept."""
    kept = Attachments(local.home.attachments)
    return Pictures(kept, local.home.dropped) if task.note.front.words("action") == "publish_post" else kept


def row(kept: Kept, task: Task, file: Attachment) -> dict[str, Any]:
    """One file, and whether these bytes are here for this task."""
    origin = kept.origin(file, task=task.id)
    try:
        here = origin is not None and len(kept.read(file)) == file.size
    except NoSuchFile:
        here = False
    told = origin or "not kept on this machine for this task: it will not be sent"
    return {**file.model_dump(mode="json"), "here": here, "origin": told}


def missing(local: Local, task: Task, action: MailAction) -> tuple[str, ...]:
    """The names of what cannot be sent."""
    kept = Attachments(local.home.attachments)
    return tuple(file.name for file in action.attachments if not row(kept, task, file)["here"])


def _put(folder: Path, file: Attachment, content: bytes) -> Path:
    """Under a name without folders; what lies there is never overwritten by other bytes."""
    path = folder / (safe_name(file.name, set()) or f"{file.sha256[:16]}.bin")
    if path.exists() and path.read_bytes() != content:
        path = path.with_name(f"{file.sha256[:8]}-{path.name}")
    write_private(path, content)
    return path


def _open(path: Path) -> None:
    opener = shlex.split(os.environ.get("COUNTERSIGN_OPENER") or "xdg-open")
    try:
        done = subprocess.run([*opener, str(path)], check=False, stdin=subprocess.DEVNULL, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise VaultError(f"cannot open it with {opener[0]!r} ({type(error).__name__}); use --save") from None
    if done.returncode != 0:
        raise VaultError(f"{opener[0]} ended with {done.returncode}; use --save")
