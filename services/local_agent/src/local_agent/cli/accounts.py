"""`accounts`: the social networks and WhatsApp of this machine, and adding one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from local_agent import os_keyring
from local_agent.cli.session import HomeOption, JsonOption, Session
from local_agent.networks.account import SocialAccount
from local_agent.networks.network import BadLogin
from local_agent.setup import config
from local_agent.whatsapp_account import WhatsAppAccount


def accounts(
    home: HomeOption = None,
    add: Annotated[
        Path | None,
        typer.Option("--add", help="TOML with accounts as [[social]] and [[whatsapp]]; see docs/social.md."),
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Your accounts on social networks and WhatsApp, and whether each has its secret. None is changed or taken away."""
    session = Session(home, json_)
    settings = session.home.settings()
    added: tuple[str, ...] = ()
    if add is not None:
        wanted = config.read_networks(add)
        added = config.add(session.home.config, wanted)
        for account in wanted:
            if account.name in added:
                _ask_for_secret(account)
        settings = session.home.settings()
        session.say(f"Added: {', '.join(added) or 'nothing new'}. `countersign run` reads it when it starts again.")
    rows = [_row(one) for one in settings.networks]
    for row in rows:
        style = "" if row["state"] == "ok" else "yellow"
        session.say(f"{row['network']:<10} {row['name']}  {row['who']}  secret: {row['state']}", style)
    if not rows:
        session.say("None is set up.")
    session.answer({"accounts": rows, "added": list(added)})


def _ask_for_secret(account: SocialAccount | WhatsAppAccount) -> None:
    """At a terminal, for the keyring; elsewhere the owner puts it there with their own tools."""
    linked = isinstance(account, WhatsAppAccount) and account.way == "linked"
    if account.secret_file is None and not linked and sys.stdin.isatty():
        secret = str(typer.prompt(f"Secret of {account.name}", hide_input=True, err=True)).strip()
        os_keyring.keep(account.keyring_entry, secret)


def _row(account: SocialAccount | WhatsAppAccount) -> dict[str, Any]:
    if isinstance(account, WhatsAppAccount):
        network, who = "whatsapp", f"{account.number} ({account.way})"
    else:
        network, who = account.network, account.user or account.address
    try:
        for _ in account.secrets():
            continue
        state = "ok"
    except BadLogin as error:
        state = str(error)
    return {"name": account.name, "network": network, "who": who, "state": state}
