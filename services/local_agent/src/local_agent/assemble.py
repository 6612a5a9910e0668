"""Putting Local together from its home: the one place besides `__main__` and the tests that knows every part."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog

from books.errors import BadCredentials
from local_agent import hub_token
from local_agent.attachments import Attachments
from local_agent.books_check import BooksCheck
from local_agent.chats.check import ChatCheck
from local_agent.chats.letters import Letters
from local_agent.decisions import Desk
from local_agent.executor_id import executor_id, place_of
from local_agent.forward_check import ForwardCheck
from local_agent.forwards import Forwards
from local_agent.gmail import Gmail
from local_agent.home import LOCAL, Home, Settings
from local_agent.inbox import Inbox
from local_agent.judge import Judge
from local_agent.lessons import Lessons
from local_agent.mail_account import MailAccount
from local_agent.networks.network import BadLogin
from local_agent.originals import Originals
from local_agent.payees import Payees
from local_agent.pictures import Pictures
from local_agent.post_check import PostCheck
from local_agent.transfer_check import TransferCheck
from vault_protocol import keys, layout
from vault_protocol.checkpoint import Checkpoint
from vault_protocol.clock import Clock, SystemClock
from vault_protocol.errors import VaultError
from vault_protocol.identity import Identity
from vault_protocol.journal import Journal
from vault_protocol.scan import OwnSecrets
from vault_protocol.store import GitStore
from vault_protocol.task import Role
from vault_protocol.vault import Vault

log = structlog.get_logger()


@dataclass(frozen=True)
class Local:
    """Everything the command line and the service share."""

    home: Home
    settings: Settings
    store: GitStore
    vault: Vault
    desk: Desk
    judge: Judge
    inbox: Inbox
    books: BooksCheck
    transfers: TransferCheck
    executor: str
    clock: Clock
    checkpoint: Checkpoint


def assemble(home: Home, clock: Clock | None = None) -> Local:
    """Raises NotSetUp or VaultError when the home is not whole."""
    clock = clock or SystemClock()
    settings = home.settings()
    store = GitStore(home.clone)
    executor, checkpoint = executor_id(home.executor), checkpoint_of(home)
    identity = Identity(LOCAL, Role.LOCAL, settings.vault, keys.load(home.local_key))
    journal = Journal(
        store, home.connect(settings, store), identity, clock,
        trust=home.trust(settings.vault), secrets=own_secrets(home, settings), checkpoint=checkpoint,
        owner=home.approval_public_key(),
        progress=lambda done, total: log.info("vault.following", done=done, total=total),
    )  # fmt: skip
    if checkpoint.doubt:
        log.error("checkpoint.doubted", kept_as=checkpoint.aside.name)
    vault = Vault(journal, lease=timedelta(seconds=settings.lease_seconds))
    undo, lessons = timedelta(seconds=settings.undo_seconds), Lessons(vault, home.lessons)
    desk = Desk(vault, executor, settings.owner, undo, lessons=lessons)

    def rules() -> str:
        return (journal.read(layout.HANDBOOK) or b"").decode("utf-8", "replace")

    books = BooksCheck(settings, rules)
    transfers = TransferCheck(settings, Payees(home.payees), rules, lambda: clock.now().date())
    posts = PostCheck(settings, Pictures(Attachments(home.attachments), home.dropped), home.secret_bytes())
    chats = ChatCheck(settings, Letters(home.chats))
    find, files = original_finder(home, settings), Attachments(home.attachments)
    forwards = ForwardCheck(settings, find, Forwards(home.forwards), files)
    judge = Judge(
        settings, find, home.checks, attachments=files, held=find.together,
        checks={"post_invoice": books, "register_payment": books, "pay_transfer": transfers},
        with_task={
            "forward_mail": forwards, "publish_post": posts, "send_whatsapp": chats, "send_sealed": chats,
        },
    )  # fmt: skip
    inbox = Inbox(settings.accounts, lambda account: gmail_of(home, account))
    return Local(home, settings, store, vault, desk, judge, inbox, books, transfers, executor, clock, checkpoint)


def checkpoint_of(home: Home) -> Checkpoint:
    """Sealed by the local secret, for this executor in this place: an edited file or a restored home is noticed."""
    executor_id(home.executor)
    return Checkpoint(home.checkpoint, home.secret_bytes(), place_of(home.executor))


def own_secrets(home: Home, settings: Settings) -> OwnSecrets:
    """What must never leave this machine: passwords, tokens, the local secret, the private keys."""
    values = [home.secret.read_text(encoding="ascii").strip()]
    passwords = (account.password_file for account in settings.accounts if account.way == "smtp")
    for file in passwords:
        if file.exists():
            values.append(file.read_text(encoding="utf-8").strip())
    if hub_token.belongs_to(settings):
        with suppress(VaultError):
            values.append(hub_token.read(home.hub_token, settings))
    for books in settings.books:
        with suppress(BadCredentials):
            values.append(books.key())
    for value in home.credentials.values():
        values += [value, *_parts(value)]
    for payer in settings.payments:
        with suppress(VaultError):
            values.append(home.payment_token(payer))
    for account in settings.networks:
        with suppress(BadLogin):
            values.extend(account.secrets())
    for key in (home.local_key, home.approval_key):
        if key.exists():
            values.append(_inner(key))
    return OwnSecrets.of(values)


def gmail_of(home: Home, account: MailAccount) -> Gmail:
    """Gmail's API for this account, with the secret that `secrets gmail-login` keeps."""
    return Gmail(account, lambda: home.credentials.get(account.secret_entry))


def original_finder(home: Home, settings: Settings) -> Originals:
    """Looks in the mailbox of the account the draft would be sent from."""
    return Originals(settings.account, lambda account: gmail_of(home, account))


def _parts(value: str) -> list[str]:
    """The secrets inside one that is JSON, such as an OAuth client with its token."""
    try:
        found = json.loads(value)
    except ValueError:
        return []
    return (
        [part for part in found.values() if isinstance(part, str) and len(part) >= 12]
        if isinstance(found, dict)
        else []
    )


def _inner(key: Path) -> str:
    """The middle of a private key file, without its armor."""
    lines = key.read_text(encoding="ascii").splitlines()
    return "".join(lines[1:-1])
