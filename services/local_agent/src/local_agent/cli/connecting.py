"""`connect` and `disconnect`: this machine joins a stack's hub with a code, and leaves it."""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import Annotated

import typer

from local_agent import hub_token
from local_agent.cli.asking import asked_wishes, key_wishes
from local_agent.cli.init_words import made
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
from local_agent.setup import SetUp, Wishes, key_files, login_service, set_up
from local_agent.setup.begin import begin, begun_before
from local_agent.setup.hubs import is_resident
from local_agent.setup.joining import Joined, authority, code_of, join, leave
from vault_protocol.clock import SystemClock
from vault_protocol.errors import HubUnreachable, VaultError

PATIENCE = 90.0
"""Seconds: a hub that just got its owner starts anew."""


def connect(
    url: Annotated[str, typer.Argument(metavar="URL", help="https://HOST[:PORT], as ./just up prints it.")],
    code: Annotated[str, typer.Option("--code", help="The code that ./just up or ./just join-code prints.")],
    home: HomeOption = None,
    folder: FolderOption = None,
    owner: OwnerOption = None,
    zone: ZoneOption = None,
    account_file: AccountFileOption = None,
    key_protection: KeyProtectionOption = None,
    passphrase_file: PassphraseFileOption = None,
    fido_key: FidoKeyOption = None,
    keys_from: KeysFromOption = None,
    dry_run: DryRunOption = None,
    undo_seconds: UndoOption = 10,
    service: Annotated[bool, typer.Option("--service", help="Start `countersign run` now and at each login.")] = False,
    yes: YesOption = False,
    json_: JsonOption = False,
) -> None:
    """Join a stack: give it this machine's public keys, take its token and its certificate, and set this machine up.

    The code says whom to believe, and is told to nobody else. On a machine that is set up it brings a new token.
    """
    session = Session(home, json_)
    parsed = code_of(code)
    if not is_resident(url):
        raise VaultError(f"{url} is no hub's address; it looks like https://hub.example.com")
    url = url.rstrip("/")
    if session.home.config.exists():
        _again(session, url, join(url, parsed, authority(url, parsed), begun_before(session.home)))
        return
    ca = authority(url, parsed)
    ask = sys.stdin.isatty() and not yes
    keys = partial(key_wishes, session, ask, None, key_protection, passphrase_file, fido_key, keys_from)
    wishes = asked_wishes(
        session, ask, keys, hub=url, hub_token=None, hub_ca=None, owner=owner, folder=folder,
        account_file=account_file, dry_run=dry_run, undo_seconds=undo_seconds, zone=zone,
    )  # fmt: skip
    joined = join(url, parsed, ca, begin(session.home, wishes))
    key_files.take_joined(session.home, joined.token, joined.ca, joined.agents, joined.monitors)
    made(session, _patiently(session, session.home, wishes), joined.agents)
    if service:
        _install(session)


def disconnect(home: HomeOption = None, yes: YesOption = False, json_: JsonOption = False) -> None:
    """Have the hub void this machine's token. Keys, notes and ledger stay; `connect` with a new code comes back."""
    session = Session(home, json_)
    settings = session.home.settings()
    if not hub_token.belongs_to(settings):
        raise VaultError(f"the hub of {session.home.path} is a plain git remote, which knows no token")
    if not yes and not session.confirm(f"Leave {settings.hub}? Nothing is sent until you connect again."):
        raise VaultError("nothing was done")
    ca = settings.hub_ca_file.read_text(encoding="ascii") if settings.hub_ca_file else ""
    leave(settings.hub, hub_token.read(session.home.hub_token, settings), ca)
    hub_token.leave(session.home.hub_token, settings)
    session.say(f"Left {settings.hub}: its token opens nothing any more.", "green")
    session.say("To come back: ./just join-code on the hub's machine, then countersign connect URL --code CODE")
    session.answer({"hub": settings.hub, "connected": False})


def _install(session: Session) -> None:
    planned = login_service.planned(session.home.path)
    trouble = login_service.install(planned)
    if trouble:
        session.warn(f"{planned.file} is there, and {trouble}")
    else:
        session.say(f"The service runs, now and at each login ({planned.file}).", "green")


def _again(session: Session, url: str, joined: Joined) -> None:
    settings = session.home.settings()
    if not hub_token.belongs_to(settings):
        raise VaultError(f"the hub of {session.home.path} is a plain git remote")
    key_files.take_joined(session.home, joined.token, joined.ca, joined.agents, joined.monitors)
    hub_token.renewed(session.home.hub_token, settings)
    session.say(f"{session.home.path} has a new token for {url}.", "green")
    if settings.hub.rstrip("/") != url:
        session.warn(f'config.toml names another hub, {settings.hub}: write `hub = "{url}"` there')
    session.answer({"already": True, "hub": url, "home": str(session.home.path)})


def _patiently(session: Session, home: Home, wishes: Wishes) -> SetUp:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return set_up(home, wishes, SystemClock())
        except HubUnreachable:
            if time.monotonic() > until:
                raise
            session.say("The hub is starting …", "dim")
            time.sleep(1.0)
