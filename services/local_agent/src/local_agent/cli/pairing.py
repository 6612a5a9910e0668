"""`pair-whatsapp`: the code that the owner's phone has to see once, in the terminal."""

from __future__ import annotations

import threading
from typing import Annotated

import typer

from local_agent.chats.linked import PAIRING
from local_agent.cli.session import HomeOption, Session
from vault_protocol.errors import VaultError

BAN = (
    "A linked device is no official way for programs: WhatsApp may ban the number for it. Read docs/whatsapp.md first, "
    "and never use a number that you cannot do without."
)


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
    file, gone = session.home.whatsapp / name / PAIRING, threading.Event()
    for _ in range(seconds + 1):
        if file.exists():
            session.warn(BAN)
            session.out.print(_drawn(file.read_text(encoding="utf-8").strip()))
            session.say("On your phone: Settings, Linked devices, Link a device. The code is good for 20 seconds.")
            return
        if seconds:
            gone.wait(1)
    raise VaultError(
        f"there is no code for {name}: either it is paired, or `countersign run` is not running (`countersign status`)"
    )


def _drawn(code: str) -> str:
    """As a picture of letters, by a library that comes with the extra; without it, the code itself."""
    try:
        import segno  # only who pairs needs it
    except ImportError:
        return code
    rows = [list(row) for row in segno.make(code, error="l").matrix_iter(border=2)]
    rows += [[0] * len(rows[0])] * (len(rows) % 2)
    signs = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}
    return "\n".join(
        "".join(signs[bool(a), bool(b)] for a, b in zip(rows[i], rows[i + 1], strict=True))
        for i in range(0, len(rows), 2)
    )
