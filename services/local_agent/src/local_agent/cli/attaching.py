"""`attach`: a file of yours goes with a mail that waits; what you approve then names it by its hash."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from local_agent.attaching import CannotAttach, attach, read, take_out
from local_agent.cli.session import HomeOption, IdArgument, JsonOption, Session
from local_agent.decisions import How


def attach_(
    id_: IdArgument,
    file: Annotated[Path | None, typer.Argument(help="The file. A copy of it stays on this machine.")] = None,
    name: Annotated[str, typer.Option("--name", help="What the other side sees it called.")] = "",
    remove: Annotated[
        int | None, typer.Option("--remove", min=1, help="Take the file with this number out; `files` counts them.")
    ] = None,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """Put a file into a mail that waits, or take one out. It becomes the next revision; approve that."""
    session = Session(home, json_)
    local = session.decide()
    if (file is None) == (remove is None):
        raise CannotAttach("name a file to attach, or --remove NUMBER")
    if file is not None:
        path = file.expanduser()
        task, kept = attach(local, id_, name or path.name, read(path), How.COMMAND)
        says = f"{kept.name} ({kept.media_type}, {kept.size} bytes) goes with revision {task.revision} of {task.id}."
    else:
        task, kept = take_out(local, id_, remove or 0, How.COMMAND)
        says = f"{kept.name} goes no more with {task.id}; that is revision {task.revision}."
    session.poke()
    session.say(says, "green")
    session.answer({"id": task.id, "revision": task.revision, "file": kept.model_dump(mode="json")})
