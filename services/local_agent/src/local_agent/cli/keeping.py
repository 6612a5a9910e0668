"""`secrets set | list | rotate | remove`: what acts in the owner's name, kept on this machine and nowhere else."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from local_agent.cli.session import HomeOption, JsonOption, Session
from local_agent.gmail_login import log_in
from local_agent.home import LOCAL
from local_agent.rotation import old_secrets
from vault_protocol.audit import Record
from vault_protocol.canonical import utc
from vault_protocol.clock import SystemClock
from vault_protocol.consent import GOOGLE, Application
from vault_protocol.errors import HubUnreachable, VaultError

_LIMIT = 16 * 1024

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="KIND.ACCOUNT, such as wise.main or gmail.business.")]
FdOption = Annotated[
    int | None, typer.Option("--fd", metavar="N", min=0, help="Read the secret from this file descriptor.")
]


def app() -> typer.Typer:
    """The commands below `secrets`."""
    made = typer.Typer(
        help="What acts in your name: kept in the OS keyring, or in an encrypted file.", no_args_is_help=True,
        pretty_exceptions_enable=False, rich_markup_mode=None,
    )  # fmt: skip
    for name, command in (
        ("set", set_), ("list", list_), ("rotate", rotate), ("remove", remove), ("gmail-login", gmail_login)
    ):  # fmt: skip
        made.command(name)(command)
    return made


def set_(name: NameArgument, fd: FdOption = None, home: HomeOption = None, json_: JsonOption = False) -> None:
    """Keep a secret. It is asked for, or read from stdin or a descriptor; never from the command line."""
    _keep(Session(home, json_), name, fd, "secret.set")


def rotate(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", show_default=False)] = None,
    fd: FdOption = None, home: HomeOption = None, json_: JsonOption = False,
) -> None:  # fmt: skip
    """Put a new secret in the place of one that is there. Without a name: encrypt the file under another key."""
    session = Session(home, json_)
    if name is not None:
        session.home.credentials.get(name)
        _keep(session, name, fd, "secret.rotated")
        return
    count = session.home.credentials.new_key()
    _record(session, "secrets.new_key", "file")
    session.say(f"{count} secrets are encrypted under another key. Their own values are the same.", "green")
    session.answer({"encrypted": count})


def remove(name: NameArgument, home: HomeOption = None, json_: JsonOption = False) -> None:
    """Forget a secret. What it opens goes on to take it until you end it there."""
    session = Session(home, json_)
    session.home.credentials.remove(name)
    _record(session, "secret.removed", name)
    session.say(f"{name} is forgotten here. End it at its provider, too.", "green")
    session.answer({"removed": name})


def gmail_login(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help='A mail account with way = "gmail".')],
    client: Annotated[Path, typer.Option("--client", help="The JSON of your Desktop app, from Google's console.")],
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65535, help="Take the browser's answer on this port.")
    ] = 0,
    consent_url: Annotated[str, typer.Option("--consent-url", hidden=True)] = GOOGLE,
    home: HomeOption = None, json_: JsonOption = False,
) -> None:  # fmt: skip
    """Let this machine send and read for a Gmail account: a login in your browser, kept as the secret gmail.ACCOUNT."""
    session = Session(home, json_)
    found = session.home.settings().account(account)
    if found.way != "gmail":
        raise VaultError(f'the account {account} has no way = "gmail" in config.toml')

    def show(address: str) -> None:
        session.warn("Open this in a browser on this machine, choose the account, and allow what is asked for:")
        session.warn(address)

    granted = log_in(found, Application.read(client), show, address=consent_url, port=port)
    kept = session.home.credentials.set(found.secret_entry, granted.secret, now=SystemClock().now())
    _record(session, "secret.set", found.secret_entry)
    session.say(f"{account} sends and reads as {granted.address}. What was paused: `countersign resume`.", "green")
    session.answer({"name": kept.name, "where": kept.where, "since": utc(kept.since), "address": granted.address})


def list_(home: HomeOption = None, json_: JsonOption = False) -> None:
    """Names, places and ages; never a secret."""
    session = Session(home, json_)
    now = SystemClock().now()
    overdue = {old.name for old in old_secrets(session.home, session.local.settings, now)}
    kept = session.home.credentials.list()
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "where", "since", ""):
        table.add_column(heading)
    for one in kept:
        late = "rotate it" if one.name in overdue else ""
        table.add_row(Text(one.name), Text(one.where), Text(utc(one.since)), Text(late, style="yellow"))
    session.show(table) if kept else session.say("No secrets are kept here.")
    for name in sorted(overdue - {one.name for one in kept}):
        session.warn(f"{name}: rotate it at its provider")
    session.answer(
        {
            "secrets": [{"name": one.name, "where": one.where, "since": utc(one.since)} for one in kept],
            "overdue": sorted(overdue),
        }
    )


def _keep(session: Session, name: str, fd: int | None, act: str) -> None:
    kept = session.home.credentials.set(name, _given(name, fd), now=SystemClock().now())
    _record(session, act, name)
    place = "the OS keyring" if kept.where == "keyring" else "an encrypted file in your private folder"
    session.say(f"{name} is kept in {place}.", "green")
    session.answer({"name": kept.name, "where": kept.where, "since": utc(kept.since)})


def _given(name: str, fd: int | None) -> str:
    """Typed without being shown, or read to the end from where nobody else looks."""
    if fd is None and sys.stdin.isatty():
        return str(typer.prompt(f"Secret for {name}", hide_input=True, err=True)).strip()
    try:
        if fd is None:
            return sys.stdin.read(_LIMIT + 1).strip()
        with os.fdopen(fd, "rb", closefd=False) as file:
            return file.read(_LIMIT + 1).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise VaultError(f"cannot read the secret ({type(error).__name__})") from None


def _record(session: Session, act: str, name: str) -> None:
    """In the audit: which, and when; waited for by nobody."""
    now = session.local.clock.now()
    record = Record.of(act, actor=LOCAL, target=name, at=now, result="done", approved_by=session.local.settings.owner)
    try:
        session.decide().vault.record(record)
    except HubUnreachable:
        session.warn("The hub does not answer: this is done, but it is not in the audit log.")
