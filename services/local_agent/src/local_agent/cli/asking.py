"""What `init` and `connect` ask when it was not given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import typer

from local_agent.books_account import BooksAccount
from local_agent.cli.passphrases import new_passphrase
from local_agent.cli.session import Session
from local_agent.home import Home
from local_agent.mail_account import MailAccount
from local_agent.setup import Wishes, time_zone
from local_agent.setup.ask_account import ask_account
from local_agent.setup.ask_books import ask_books
from local_agent.setup.begin import KeyWishes, Protection
from local_agent.setup.config import read_accounts, read_books
from vault_protocol.errors import VaultError
from vault_protocol.keys import load_public
from vault_protocol.sshsig import PublicKey
from vault_protocol.task import AGENT_ID, AgentId

FOLDER = Path("~/Countersign")


def asked_wishes(
    session: Session, ask: bool, keys: Callable[[], KeyWishes], *, hub: str, hub_token: Path | None,
    hub_ca: Path | None, owner: str | None, folder: Path | None, account_file: Path | None, dry_run: bool | None,
    undo_seconds: int, books_file: Path | None = None, zone: str | None = None,
) -> Wishes:  # fmt: skip
    """Everything that `set_up` needs, `keys` asked in its place. Raises VaultError for what nobody said."""
    where_at = time_zone.chosen(zone)
    named = asked(owner, ask, "Your name, as it stands under your mails", None)
    if not named:
        raise VaultError("what is your name? give --owner")
    where = Path(asked(str(folder) if folder else None, ask, "Folder for your notes", str(FOLDER)) or FOLDER)
    kept = keys()
    if ask and dry_run is None:
        dry_run = typer.confirm(
            "Start with a dry run (everything is checked, nothing is sent)?", default=True, err=True
        )
    accounts = read_accounts(account_file) if account_file else _ask_accounts(session.home) if ask else ()
    books = read_books(books_file) if books_file else _ask_books(session.home) if ask else ()
    return Wishes(
        hub=hub, hub_token=hub_token, hub_ca=hub_ca, folder=where, owner=named, zone=where_at,
        dry_run=dry_run is not False, undo_seconds=undo_seconds, accounts=accounts, books=books, **vars(kept),
    )  # fmt: skip


def key_wishes(
    session: Session, ask: bool, pins: dict[AgentId, PublicKey] | None, key_protection: str | None,
    passphrase_file: Path | None, fido_key: Path | None, keys_from: Path | None,
) -> KeyWishes:  # fmt: skip
    """`pins` None: the hub says them."""
    if ask and pins == {} and not session.home.pinned.exists():
        pins = _ask_pins()
    protection = _protection(asked(key_protection, ask, "Protect the approval key by", "passphrase") or "passphrase")
    if protection == "fido":
        session.warn("Touch your key when it blinks.")
    passphrase = _passphrase(session.home, protection, passphrase_file, keys_from)
    return KeyWishes(protection=protection, passphrase=passphrase, token=fido_key, keys_from=keys_from, pins=pins or {})


def asked(given: str | None, ask: bool, question: str, default: str | None) -> str | None:
    if given is not None or not ask:
        return given
    return str(typer.prompt(question, default=default, err=True))


def pinned(entry: str) -> tuple[AgentId, PublicKey]:
    name, _, file = entry.partition("=")
    if not AGENT_ID.fullmatch(name) or not file:
        raise VaultError(f"--pin {entry}: write AGENT=PUBLIC_KEY_FILE, such as cloud=cloud.pub")
    return AgentId(name), load_public(Path(file).expanduser())


def _ask_pins() -> dict[AgentId, PublicKey]:
    file = typer.prompt("Public key file of the cloud agent (empty: later)", default="", show_default=False, err=True)
    return dict([pinned(f"cloud={file}")]) if file else {}


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
