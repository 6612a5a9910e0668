"""`forward`: pass a mail on. It becomes a draft that you approve like any other."""

from __future__ import annotations

from typing import Annotated

import typer

from local_agent.cli.session import HomeOption, IdArgument, JsonOption, Session
from local_agent.forwards import Forwards, ask
from local_agent.own_text import as_typed


def forward(
    id_: IdArgument,
    to: Annotated[list[str], typer.Option("--to", help="Who is to have it; may be given more than once.")],
    note: Annotated[str, typer.Option("--note", help="Your own words above it.")] = "",
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """Pass the mail of a task on, with its files. Your machine makes the draft; nothing goes before you approve it."""
    session = Session(home, json_)
    local = session.decide()
    first = local.vault.get(id_)
    words = as_typed(note) if note.strip() else ""
    task = ask(
        local.vault, Forwards(session.home.forwards), first, to=to, note=words, secret=session.home.secret_bytes()
    )
    session.poke()
    session.say(f"{task.id} will be the draft that passes it on; it waits for you once it is made.", "green")
    session.answer({"id": task.id, "first": first.id, "stage": task.stage.value})
