"""`pair-whatsapp`: the code that the owner's phone has to see once, in the terminal."""

from __future__ import annotations

import threading
from typing import Annotated

import typer

from local_agent.chats.pairing_code import BAN, HOW, code_in, letters, squares
from local_agent.cli.session import HomeOption, Session
from vault_protocol.errors import VaultError


def pair_whatsapp(
    name: Annotated[str, typer.Argument(help="The WhatsApp account, as `countersign accounts` has it.")],
    home: HomeOption = None,
    seconds: Annotated[int, typer.Option("--seconds", min=0, max=600, help="How long to wait for a code.")] = 60,
) -> None:
    """Show the code for *Linked devices* on your phone. `countersign run` has to be running."""
    session = Session(home, False)
    account = session.home.settings().whatsapp_account(name)
    if account.way != "linked":
        raise VaultError(f"{name} is no linked device; it needs no pairing")
    gone = threading.Event()
    for _ in range(seconds + 1):
        if code := code_in(session.home.whatsapp / name):
            found = squares(code)
            session.warn(BAN)
            session.out.print(letters(found) if found else code)
            session.say(HOW)
            return
        if seconds:
            gone.wait(1)
    raise VaultError(
        f"there is no code for {name}: either it is paired, or `countersign run` is not running (`countersign status`)"
    )
