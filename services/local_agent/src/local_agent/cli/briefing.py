"""`briefing`: the weekly briefing now, on the screen and in Briefings/."""

from __future__ import annotations

from typing import Annotated

import typer

from local_agent.cli.session import HomeOption, JsonOption, Session
from local_agent.weekly import path_of, write
from vault_protocol.note import Note


def briefing(
    home: HomeOption = None,
    show: Annotated[bool, typer.Option("--show", help="Only show this week's, as it was written.")] = False,
    json_: JsonOption = False,
) -> None:
    """Write this week's briefing from the books and the vault, raise its suggestions, and show it."""
    session = Session(home, json_)
    local = session.decide()
    path = path_of(local.clock.now())
    if not show or local.vault.journal.read(path) is None:
        path = write(local)
        session.poke()
    note = Note.parse(local.vault.journal.read(path) or b"", path)
    session.say(note.body.strip("\n"))
    session.answer({"path": path, "text": note.body})
