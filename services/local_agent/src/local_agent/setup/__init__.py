"""`countersign init`: keys, pinned keys, the hub's first changeset, and last config.toml, which says it is done.

Each step finds what an earlier run left and goes on from there; nothing is ever overwritten.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from local_agent import hub_token
from local_agent.assemble import checkpoint_of, own_secrets
from local_agent.books_account import BooksAccount
from local_agent.home import LOCAL, Home, Settings
from local_agent.mail_account import MailAccount
from local_agent.setup import config, key_files
from local_agent.setup.begin import KeyWishes, begin, cloud_pins
from local_agent.setup.first_notes import first_notes, vault_card
from local_agent.setup.hubs import is_resident, make_hub
from vault_protocol import audit, keys, layout
from vault_protocol.audit import Record
from vault_protocol.clock import Clock
from vault_protocol.errors import Refused, UntrustedHead, VaultError
from vault_protocol.files import write_private
from vault_protocol.hub import CommitId
from vault_protocol.identity import Identity
from vault_protocol.journal import Journal
from vault_protocol.sshsig import PublicKey
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId, Role
from vault_protocol.vault import Also, Vault

CREATED, JOINED = "vault.created", "executor.joined"


@dataclass(frozen=True, kw_only=True)
class Wishes(KeyWishes):
    """What the owner chose. `hub_token`, `hub_ca`: files to take into the home; with a token the hub is resident."""

    hub: str
    folder: Path
    owner: str
    zone: str = "UTC"
    """An IANA name."""
    hub_token: Path | None = None
    hub_ca: Path | None = None
    dry_run: bool = True
    undo_seconds: int = 10
    accounts: tuple[MailAccount, ...] = ()
    books: tuple[BooksAccount, ...] = ()


@dataclass(frozen=True)
class SetUp:
    """What is there now. `joined`: the vault was there before this machine."""

    settings: Settings
    executor: str
    joined: bool
    zone: str = "UTC"


def set_up(home: Home, wishes: Wishes, clock: Clock, step: Callable[[str], None] = lambda name: None) -> SetUp:
    """Make a home where none is. `step` is told each step's name as it is passed. Raises VaultError."""
    begun = begin(home, wishes, step)
    settings = Settings(
        vault=begun.vault, hub=wishes.hub, folder=wishes.folder.expanduser().absolute(), owner=wishes.owner,
        dry_run=wishes.dry_run, undo_seconds=wishes.undo_seconds, key_protection=wishes.protection,
        accounts=wishes.accounts, books=wishes.books,
    )  # fmt: skip
    if wishes.hub_token is not None or is_resident(wishes.hub):
        settings = settings.model_copy(update=_hub_files(home, wishes))
    else:
        settings = settings.model_copy(update={"hub": make_hub(wishes.hub)})
    step("hub")
    store = GitStore(home.clone)
    with closing(home.connect(home.anchored(settings), store)) as hub:
        head = hub.refresh()
        if head is not None:
            settings = settings.model_copy(update={"vault": _vault_on(store, head)})
        identity = Identity(LOCAL, Role.LOCAL, settings.vault, keys.load(home.local_key))
        trust = home.trust(settings.vault)
        journal = Journal(
            store, hub, identity, clock,
            trust=trust, secrets=own_secrets(home, home.anchored(settings)),
            checkpoint=checkpoint_of(home), owner=begun.approval,
        )  # fmt: skip
        card = vault_card(settings.vault, trust.keys, begun.approval, clock.now())
        joined = _publish_first(Vault(journal), settings, begun.executor, card, wishes.zone)
    step("published")
    settings.folder.mkdir(parents=True, exist_ok=True)
    settings = settings.model_copy(update=hub_token.moved(home.hub_token, settings))
    write_private(home.config, config.render(settings).encode("utf-8"))
    hub_token.tidy(home.hub_token, settings)
    step("config")
    return SetUp(settings, begun.executor, joined, wishes.zone)


def _hub_files(home: Home, wishes: Wishes) -> dict[str, Path]:
    """The settings that name what the home holds for a resident hub."""
    if wishes.hub_token is not None:
        key_files.hub_token(home, wishes.hub_token)
    if wishes.hub_ca is not None:
        key_files.hub_ca(home, wishes.hub_ca)
    files = {"hub_token_file": home.hub_token}
    if home.hub_ca.exists():
        files["hub_ca_file"] = home.hub_ca
    return {name: Path(file.name) for name, file in files.items()}


def new_token(home: Home, token: Path) -> None:
    """Put another token in the place of the one this home uses. Raises VaultError."""
    settings = home.settings()
    if not hub_token.belongs_to(settings):
        raise VaultError(f"the hub of {home.path} is a plain git remote, which takes no token")
    key_files.hub_token(home, token)
    hub_token.renewed(home.hub_token, settings)


def pin_more(
    home: Home, pins: Mapping[AgentId, PublicKey], revoked: Sequence[AgentId]
) -> tuple[tuple[AgentId, ...], tuple[AgentId, ...]]:
    """In a home that is set up, pin further agents, and wait no more for those that the hub lets in no more.

    Of each, the names of which this is new. Raises VaultError, and nothing is changed.
    """
    return key_files.pin_and_revoke(home, cloud_pins(pins), revoked)


def _vault_on(store: GitStore, head: CommitId) -> str:
    """The id the hub's card gives. It is believed only as far as every changeset is signed for it."""
    try:
        card = json.loads(store.read(head, layout.VAULT_CARD) or b"")
        found = card["vault"]
    except (ValueError, KeyError, TypeError):
        found = None
    if not isinstance(found, str) or not found:
        raise VaultError(f"the hub is not empty, and holds no vault ({layout.VAULT_CARD} is missing)")
    return found


def _publish_first(vault: Vault, settings: Settings, executor: str, card: bytes, zone: str) -> bool:
    """The root commit, or a word in the log of a vault that is there already; whether it was there."""
    try:
        head = vault.refresh()
        kind = _introduced(vault, executor)
        if kind is None:
            kind = CREATED if head is None else JOINED
            now = vault.journal.clock.now()
            record = Record.of(
                kind, actor=LOCAL, target=settings.vault, at=now, parameters={"executor": executor}, result="published"
            )
            notes = {**first_notes(settings.owner, now, zone), layout.VAULT_CARD: card} if head is None else {}
            vault.write("init", settings.vault, notes, Also(records=[record]))
    except UntrustedHead as error:
        raise VaultError(
            f"the hub holds a vault that the keys pinned here do not vouch for ({error.reason}); "
            "bring the keys of your other machine (--keys-from) and pin every agent (--pin)"
        ) from None
    except Refused as error:
        raise VaultError(
            f"the hub refuses the vault's beginning ({error.rule}: {error.reason}); it was set up for another vault or "
            "key: run its `init` and `agent add` again as `countersign init` prints them without a token"
        ) from None
    return kind == JOINED


def _introduced(vault: Vault, executor: str) -> str | None:
    """How this executor came into the vault, when an earlier run was cut off after that."""
    journal = vault.journal
    if journal.head is None:
        return None
    for path, _ in journal.store.paths(journal.head, f"Logs/{LOCAL}"):
        for line in (journal.read(path) or b"").decode("utf-8").splitlines():
            record = audit.parse(line)
            if record.action_type in (CREATED, JOINED) and record.parameters.get("executor") == executor:
                return record.action_type
    return None
