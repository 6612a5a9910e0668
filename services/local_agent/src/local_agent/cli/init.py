"""`init`: ask for what is not given, then set up."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from local_agent.cli.asking import asked, asked_wishes, key_wishes, pinned
from local_agent.cli.init_words import already, awaiting, made
from local_agent.cli.session import HomeOption, JsonOption, Session, YesOption
from local_agent.cli.setup_options import (
    AccountFileOption,
    DryRunOption,
    FidoKeyOption,
    FolderOption,
    KeyProtectionOption,
    KeysFromOption,
    OwnerOption,
    PassphraseFileOption,
    UndoOption,
    ZoneOption,
)
from local_agent.home import Home
from local_agent.setup import set_up
from local_agent.setup.begin import begin
from local_agent.setup.config import read_books
from local_agent.setup.hubs import is_resident
from vault_protocol.clock import SystemClock
from vault_protocol.errors import VaultError
from vault_protocol.task import AgentId


def init(
    home: HomeOption = None,
    hub: Annotated[
        str | None,
        typer.Option(
            "--hub", help="https://HOST of a resident hub; or a git address: a path that is not there is made."
        ),
    ] = None,
    hub_token_file: Annotated[
        Path | None, typer.Option("--hub-token-file", help="What `vault_hub agent add` printed; it is copied.")
    ] = None,
    hub_ca_file: Annotated[
        Path | None, typer.Option("--hub-ca-file", help="Certificates to trust for the hub, beside no others.")
    ] = None,
    folder: FolderOption = None,
    owner: OwnerOption = None,
    zone: ZoneOption = None,
    account_file: AccountFileOption = None,
    books_file: Annotated[
        Path | None,
        typer.Option("--books-file", help="TOML with your books as [[books]]; also later, to add them."),
    ] = None,
    pin: Annotated[
        list[str] | None, typer.Option("--pin", metavar="AGENT=FILE", help="A cloud agent and its public key.")
    ] = None,
    revoked: Annotated[
        list[str] | None,
        typer.Option("--revoked", metavar="AGENT", help="Later: a cloud agent that the hub lets in no more."),
    ] = None,
    key_protection: KeyProtectionOption = None,
    passphrase_file: PassphraseFileOption = None,
    fido_key: FidoKeyOption = None,
    keys_from: KeysFromOption = None,
    dry_run: DryRunOption = None,
    undo_seconds: UndoOption = 10,
    yes: YesOption = False,
    json_: JsonOption = False,
) -> None:
    """Set this machine up: keys, the hub, the first notes. Nothing that is there is overwritten.

    A resident hub has to know this machine's keys first: without its token, this makes the keys and says what to do.
    """
    session = Session(home, json_)
    pins = dict(pinned(entry) for entry in pin or [])
    if session.home.config.exists():
        books = read_books(books_file) if books_file else ()
        already(session, pins, hub_token_file, books, [AgentId(name) for name in revoked or []])
        return
    if revoked:
        raise VaultError("--revoked is for a machine that is set up")
    ask = sys.stdin.isatty() and not yes
    chosen = asked(hub, ask, "Hub (git address, or a path on this machine)", str(session.home.path.parent / "hub.git"))
    if chosen is None:
        raise VaultError("where is the hub? give --hub, a git address or a path on this machine")
    resident = hub_token_file is not None or is_resident(chosen)
    if hub_ca_file is not None and not resident:
        raise VaultError("--hub-ca-file is for a resident hub; git has http.sslCAInfo for its own remotes")
    keys = partial(
        key_wishes, session, ask, pins, key_protection, passphrase_file, fido_key, keys_from
    )  # fmt: skip
    if resident and not _has_token(session.home, hub_token_file, keys_from):
        awaiting(session, chosen, begin(session.home, keys()))
        return
    wishes = asked_wishes(
        session, ask, keys, hub=chosen, hub_token=hub_token_file, hub_ca=hub_ca_file, owner=owner, folder=folder,
        account_file=account_file, books_file=books_file, zone=zone, dry_run=dry_run, undo_seconds=undo_seconds,
    )  # fmt: skip
    made(session, set_up(session.home, wishes, SystemClock()), wishes.pins)


def _has_token(home: Home, given: Path | None, keys_from: Path | None) -> bool:
    """Given, taken into the home by an earlier run, or in the home of the owner's other machine."""
    places = (given, home.hub_token, Home(keys_from).hub_token if keys_from else None)
    return given is not None or any(place is not None and place.exists() for place in places)
