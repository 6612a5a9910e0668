"""`run`, `unlock`, `lock`: the service, and how long it may sign what is decided by moving a file."""

from __future__ import annotations

import signal
import threading
from datetime import datetime
from typing import Annotated

import typer

from local_agent.cli.passphrases import FdOption, asked_passphrase
from local_agent.cli.session import HomeOption, JsonOption, Session
from vault_protocol.crashes import reported
from vault_protocol.errors import VaultError


def run(home: HomeOption = None, json_: JsonOption = False) -> None:
    """Run the service until SIGTERM or Ctrl-C: the folder, the dashboard, and what you approved."""
    from local_agent.serve import serve  # the MCP client and the watcher, which no other command needs

    session = Session(home, json_)
    tracker = session.home.settings().error_tracker_file
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    with reported(session.home.path / tracker if tracker else None, "local_agent"):
        code = serve(session.home, stop=stop)
    session.answer({"exit_code": code})
    raise typer.Exit(code)


def unlock(
    minutes: Annotated[
        int | None,
        typer.Option("--minutes", min=1, max=1440, help="How long; default: unlock_minutes of the settings."),
    ] = None,
    home: HomeOption = None,
    passphrase_fd: FdOption = None,
    json_: JsonOption = False,
) -> None:
    """Let the running service sign what you decide by moving a file."""
    session = Session(home, json_)
    settings = session.home.settings()
    minutes = settings.unlock_minutes if minutes is None else minutes
    if not minutes:
        raise VaultError("unlock_minutes is 0 in the settings: this key is opened for one command at a time only")
    session.ask_service("status")
    passphrase = asked_passphrase(passphrase_fd) if settings.key_protection == "passphrase" else None
    answer = session.ask_service("unlock", passphrase=passphrase, minutes=minutes)
    session.say(f"Unlocked{_until(answer.get('until'))}.", "green")
    session.answer(answer)


def lock(home: HomeOption = None, json_: JsonOption = False) -> None:
    """Lock the key in the running service now."""
    session = Session(home, json_)
    session.home.settings()
    answer = session.ask_service("lock")
    session.say("Locked.", "green")
    session.answer(answer)


def _until(stamp: object) -> str:
    """` until 15:04` on the owner's clock; empty for anything else than a time of these days."""
    try:
        then = datetime.fromisoformat(str(stamp))
    except ValueError:
        return ""
    return f" until {then.astimezone():%H:%M}" if then.year < 9999 else ""
