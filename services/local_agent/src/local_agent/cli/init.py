"""`init`: ask for what is not given, then set up."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from local_agent.books_account import BooksAccount
from local_agent.cli.init_words import already, awaiting, made
from local_agent.cli.passphrases import new_passphrase
from local_agent.cli.session import HomeOption, JsonOption, Session, YesOption
from local_agent.home import Home
from local_agent.mail_account import MailAccount
from local_agent.setup import Wishes, set_up
from local_agent.setup.ask_account import ask_account
from local_agent.setup.ask_books import ask_books
from local_agent.setup.begin import KeyWishes, Protection, begin
from local_agent.setup.config import read_accounts, read_books
from local_agent.setup.hubs import is_resident
from vault_protocol.clock import SystemClock
from vault_protocol.errors import VaultError
from vault_protocol.keys import load_public
from vault_protocol.sshsig import PublicKey
from vault_protocol.task import AGENT_ID, AgentId

FOLDER = Path("~/Countersign")


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
    folder: Annotated[Path | None, typer.Option("--folder", help="Where you read the notes.")] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="Your name, as it stands under your mails.")] = None,
    account_file: Annotated[
        Path | None, typer.Option("--account-file", help="TOML with your mail accounts as [[accounts]].")
    ] = None,
    books_file: Annotated[
        Path | None,
        typer.Option("--books-file", help="TOML with your books as [[books]]; also later, to add them."),
    ] = None,
    pin: Annotated[
        list[str] | None, typer.Option("--pin", metavar="AGENT=FILE", help="A cloud agent and its public key.")
    ] = None,
    key_protection: Annotated[
        str | None, typer.Option("--key-protection", metavar="passphrase|keyring|fido|none")
    ] = None,
    passphrase_file: Annotated[Path | None, typer.Option("--passphrase-file", help="Its first line.")] = None,
    fido_key: Annotated[
        Path | None,
        typer.Option("--fido-key", help="For fido: an existing key handle, or a public key your agent holds."),
    ] = None,
    keys_from: Annotated[
        Path | None, typer.Option("--keys-from", help="The home of your other machine, to join its vault.")
    ] = None,
    dry_run: Annotated[
        bool | None, typer.Option("--dry-run/--no-dry-run", help="Check everything, send nothing. Default: on.")
    ] = None,
    undo_seconds: Annotated[int, typer.Option("--undo-seconds", min=0, max=86400)] = 10,
    yes: YesOption = False,
    json_: JsonOption = False,
) -> None:
    """Set this machine up: keys, the hub, the first notes. Nothing that is there is overwritten.

    A resident hub has to know this machine's keys first: without its token, this makes the keys and says what to do.
    """
    session = Session(home, json_)
    pins = dict(_pin(entry) for entry in pin or [])
    if session.home.config.exists():
        already(session, pins, hub_token_file, read_books(books_file) if books_file else ())
        return
    ask = sys.stdin.isatty() and not yes
    chosen = _asked(hub, ask, "Hub (git address, or a path on this machine)", str(session.home.path.parent / "hub.git"))
    if chosen is None:
        raise VaultError("where is the hub? give --hub, a git address or a path on this machine")
    resident = hub_token_file is not None or is_resident(chosen)
    if hub_ca_file is not None and not resident:
        raise VaultError("--hub-ca-file is for a resident hub; git has http.sslCAInfo for its own remotes")
    if resident and not _has_token(session.home, hub_token_file, keys_from):
        kept = _keys(session, ask, pins, key_protection, passphrase_file, fido_key, keys_from)
        awaiting(session, chosen, begin(session.home, kept))
        return
    named = _asked(owner, ask, "Your name, as it stands under your mails", None)
    if not named:
        raise VaultError("what is your name? give --owner")
    where = Path(_asked(str(folder) if folder else None, ask, "Folder for your notes", str(FOLDER)) or FOLDER)
    kept = _keys(session, ask, pins, key_protection, passphrase_file, fido_key, keys_from)
    if ask and dry_run is None:
        dry_run = typer.confirm(
            "Start with a dry run (everything is checked, nothing is sent)?", default=True, err=True
        )
    accounts = read_accounts(account_file) if account_file else _ask_accounts(session.home) if ask else ()
    books = read_books(books_file) if books_file else _ask_books(session.home) if ask else ()
    wishes = Wishes(
        hub=chosen, hub_token=hub_token_file, hub_ca=hub_ca_file, folder=where, owner=named,
        dry_run=dry_run is not False, undo_seconds=undo_seconds, accounts=accounts, books=books, **vars(kept),
    )  # fmt: skip
    made(session, set_up(session.home, wishes, SystemClock()), kept.pins)


def _has_token(home: Home, given: Path | None, keys_from: Path | None) -> bool:
    """Given, taken into the home by an earlier run, or in the home of the owner's other machine."""
    places = (given, home.hub_token, Home(keys_from).hub_token if keys_from else None)
    return given is not None or any(place is not None and place.exists() for place in places)


def _keys(
    session: Session, ask: bool, pins: dict[AgentId, PublicKey], key_protection: str | None,
    passphrase_file: Path | None, fido_key: Path | None, keys_from: Path | None,
) -> KeyWishes:  # fmt: skip
    if ask and not pins and not session.home.pinned.exists():
        pins = _ask_pins()
    protection = _protection(_asked(key_protection, ask, "Protect the approval key by", "passphrase") or "passphrase")
    if protection == "fido":
        session.warn("Touch your key when it blinks.")
    passphrase = _passphrase(session.home, protection, passphrase_file, keys_from)
    return KeyWishes(protection=protection, passphrase=passphrase, token=fido_key, keys_from=keys_from, pins=pins)


def _asked(given: str | None, ask: bool, question: str, default: str | None) -> str | None:
    if given is not None or not ask:
        return given
    return str(typer.prompt(question, default=default, err=True))


def _pin(entry: str) -> tuple[AgentId, PublicKey]:
    name, _, file = entry.partition("=")
    if not AGENT_ID.fullmatch(name) or not file:
        raise VaultError(f"--pin {entry}: write AGENT=PUBLIC_KEY_FILE, such as cloud=cloud.pub")
    return AgentId(name), load_public(Path(file).expanduser())


def _ask_pins() -> dict[AgentId, PublicKey]:
    file = typer.prompt("Public key file of the cloud agent (empty: later)", default="", show_default=False, err=True)
    return dict([_pin(f"cloud={file}")]) if file else {}


def _ask_accounts(home: Home) -> tuple[MailAccount, ...]:
    found: list[MailAccount] = []
    while typer.confirm("Add a mail account?" if not found else "Another one?", default=not found, err=True):
        found.append(ask_account(home))
    return tuple(found)


def _ask_books(home: Home) -> tuple[BooksAccount, ...]:
    return (ask_books(home),) if typer.confirm("Do you keep books in Odoo?", default=False, err=True) else ()


def _protection(word: str) -> Protection:
    match word:
        case "passphrase" | "keyring" | "fido" | "none":
            return word
    raise VaultError(f"--key-protection {word}: it is passphrase, keyring, fido or none")


def _passphrase(home: Home, protection: Protection, file: Path | None, keys_from: Path | None) -> str | None:
    """None when there is none, when the keyring gets one of its own, or when the key is there with its own."""
    there = keys_from is not None or home.approval_key.exists()
    if protection in ("none", "fido") or (file is None and (protection == "keyring" or there)):
        return None
    return new_passphrase(file)
