"""`countersign init`: keys, pinned keys, the hub's first changeset, and last config.toml, which says it is done.

Each step finds what an earlier run left and goes on from there; nothing is ever overwritten.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from local_agent.assemble import checkpoint_of, own_secrets
from local_agent.executor_id import executor_id
from local_agent.home import LOCAL, Home, Settings
from local_agent.mail_account import MailAccount
from local_agent.setup import config, key_files
from local_agent.setup.first_notes import first_notes, vault_card
from local_agent.setup.hubs import make_hub
from vault_protocol import audit, keys, layout
from vault_protocol.audit import Record
from vault_protocol.clock import Clock
from vault_protocol.errors import UntrustedHead, VaultError
from vault_protocol.files import write_private
from vault_protocol.hub import CommitId
from vault_protocol.identity import Identity
from vault_protocol.journal import Journal
from vault_protocol.remote import Remote
from vault_protocol.sshsig import PublicKey
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId, Role
from vault_protocol.vault import Also, Vault

CREATED, JOINED = "vault.created", "executor.joined"

Protection = Literal["passphrase", "keyring", "fido", "none"]


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the owner chose."""

    hub: str
    folder: Path
    owner: str
    protection: Protection = "passphrase"
    passphrase: str | None = field(default=None, repr=False)
    token: Path | None = None
    keys_from: Path | None = None
    dry_run: bool = True
    undo_seconds: int = 10
    accounts: tuple[MailAccount, ...] = ()
    pins: Mapping[AgentId, PublicKey] = field(default_factory=dict)


@dataclass(frozen=True)
class SetUp:
    """What is there now. `joined`: the vault was there before this machine."""

    settings: Settings
    executor: str
    joined: bool


def set_up(home: Home, wishes: Wishes, clock: Clock, step: Callable[[str], None] = lambda name: None) -> SetUp:
    """Make a home where none is. `step` is told each step's name as it is passed. Raises VaultError."""
    if home.config.exists():
        raise VaultError(f"{home.path} is set up already")
    home.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    home.path.chmod(0o700)
    if wishes.keys_from is not None:
        key_files.adopt(home, wishes.keys_from)
    approval = key_files.approval_key(home, wishes.protection, wishes.passphrase, wishes.token)
    step("approval key")
    own = key_files.local_key(home)
    step("local key")
    key_files.secret(home)
    key_files.pin(home, {**key_files.own_pin(own), **_cloud(wishes.pins)})
    executor = executor_id(home.executor)
    step("private files")
    hub = make_hub(wishes.hub)
    step("hub")
    store = GitStore(home.clone)
    remote = Remote(store, hub)
    head = remote.refresh()
    vault_id = _vault_on(store, head) if head else f"vault-{secrets.token_hex(8)}"
    settings = Settings(
        vault=vault_id, hub=hub, folder=wishes.folder.expanduser().absolute(), owner=wishes.owner,
        dry_run=wishes.dry_run, undo_seconds=wishes.undo_seconds, key_protection=wishes.protection,
        accounts=wishes.accounts,
    )  # fmt: skip
    identity = Identity(LOCAL, Role.LOCAL, vault_id, keys.load(home.local_key))
    trust = home.trust(vault_id)
    journal = Journal(
        store, remote, identity, clock, trust=trust, secrets=own_secrets(home, settings),
        checkpoint=checkpoint_of(home), owner=approval,
    )  # fmt: skip
    joined = _publish_first(Vault(journal), settings, executor, vault_card(vault_id, trust.keys, approval, clock.now()))
    step("published")
    settings.folder.mkdir(parents=True, exist_ok=True)
    write_private(home.config, config.render(settings).encode("utf-8"))
    step("config")
    return SetUp(settings, executor, joined)


def pin_more(home: Home, pins: Mapping[AgentId, PublicKey]) -> tuple[AgentId, ...]:
    """Pin further agents of a home that is set up; the names that are new."""
    return key_files.pin(home, _cloud(pins))


def _cloud(pins: Mapping[AgentId, PublicKey]) -> dict[AgentId, tuple[Role, PublicKey]]:
    if LOCAL in pins:
        raise VaultError(f"the name {LOCAL} is this machine's own")
    return {name: (Role.CLOUD, key) for name, key in pins.items()}


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


def _publish_first(vault: Vault, settings: Settings, executor: str, card: bytes) -> bool:
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
            notes = {**first_notes(settings.owner, now), layout.VAULT_CARD: card} if head is None else {}
            vault.write("init", settings.vault, notes, Also(records=[record]))
    except UntrustedHead as error:
        raise VaultError(
            f"the hub holds a vault that the keys pinned here do not vouch for ({error.reason}); "
            "bring the keys of your other machine (--keys-from) and pin every agent (--pin)"
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
