"""What the owner's machine keeps for itself: settings, keys, pinned keys, and where each of them lies."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from local_agent import hub_token, limits
from local_agent.books_account import BooksAccount
from local_agent.credentials import Credentials
from local_agent.kinds import KINDS
from local_agent.limits import Limit, Limits
from local_agent.mail_account import MailAccount
from local_agent.networks.account import SocialAccount
from local_agent.notify.settings import NotifySettings
from local_agent.payment_account import NoToken, PaymentAccount
from local_agent.whatsapp_account import WhatsAppAccount
from vault_protocol.connect import connect
from vault_protocol.errors import VaultError
from vault_protocol.files import secret_line
from vault_protocol.follow import Trust
from vault_protocol.hub import Hub
from vault_protocol.keys import load_public
from vault_protocol.sshsig import PublicKey
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId, Role

LOCAL = AgentId("local")


class NotSetUp(VaultError):
    """There is no Countersign home here; `countersign init` makes one."""


def _known_limits(limits: dict[str, int]) -> dict[str, int]:
    known = [f"{kind.setting}_per_{span}" for kind in KINDS.values() for span in ("hour", "day")]
    for name in limits:
        if name not in known:
            raise ValueError(f"there is no limit {name}; there are {', '.join(known)}")
    return limits


class Named(Protocol):
    """An account of any kind."""

    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)


def _named(name: str, accounts: Sequence[N], what: str) -> N:
    for account in accounts:
        if account.name == name:
            return account
    known = ", ".join(account.name for account in accounts) or "none"
    raise VaultError(f"no {what} {name!r} on this machine; set up are: {known}")


class PingSettings(BaseModel):
    """Monitors of the owner's that are called while Local is well. Each file holds an address, which is a secret;
    relative to the home, and read anew each time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    presence_file: Path | None = None
    """Called every few minutes while the service works. Without it `ping-local`, which `connect` brings."""
    briefing_file: Path | None = None
    """Called once the week's briefing is in the vault. Without it `ping-briefing`."""
    every_seconds: Annotated[float, Field(ge=10, le=86400)] = 180.0


class Settings(BaseModel):
    """config.toml: read once, never changed while running but for `dry_run` and the limits (see `reload`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vault: str
    hub: str
    hub_token_file: Path | None = None
    """Local's token at a resident hub; relative to the home. Without this or the next it is a plain git remote."""
    hub_token_entry: str | None = None
    """The token's name in the OS keyring, where it lies in no file."""
    hub_ca_file: Path | None = None
    folder: Path
    owner: str
    dry_run: bool = True
    undo_seconds: Annotated[int, Field(ge=0, le=86400)] = 10
    settle_seconds: Annotated[float, Field(gt=0, le=60)] = 3.0
    poll_seconds: Annotated[float, Field(gt=0, le=3600)] = 2.0
    unlock_minutes: Annotated[int, Field(ge=0, le=1440)] = 15
    key_protection: Literal["passphrase", "keyring", "fido", "none"] = "passphrase"
    lease_seconds: Annotated[int, Field(ge=1, le=86400)] = 600
    rotate_days: Annotated[int, Field(ge=0, le=3650)] = 90
    """After how long a credential is called old; 0 never."""
    alarm_minutes: Annotated[int, Field(ge=1, le=10080)] = 30
    """How long the hub or an agent may give no sign of life; agents give one every ten minutes."""
    page: bool = True
    """Serve the approvals page on this machine; only devices that the owner paired see it."""
    page_port: Annotated[int, Field(ge=0, le=65535)] = 8737
    """0 takes any that is free."""
    page_listen: str = ""
    """An address of this machine in the owner's private network, where the page is served with TLS for their phone."""
    page_days: Annotated[int, Field(ge=1, le=3650)] = 90
    """How long a device stays paired."""
    error_tracker_file: Path | None = None
    """Holds a Sentry address; relative to the home. A bug that ends `run` is told there, and nothing of its work."""
    limits: Annotated[dict[str, Annotated[int, Field(ge=0)]], AfterValidator(_known_limits)] = {}
    """What counts on this machine before the table of limits in Company_Handbook.md (`kinds`)."""
    pings: PingSettings = PingSettings()
    accounts: tuple[MailAccount, ...] = ()
    books: tuple[BooksAccount, ...] = ()
    payments: tuple[PaymentAccount, ...] = ()
    social: tuple[SocialAccount, ...] = ()
    whatsapp: tuple[WhatsAppAccount, ...] = ()
    notify: tuple[NotifySettings, ...] = ()
    """How the owner is told that something waits."""

    def account(self, name: str) -> MailAccount:
        """Raises VaultError for an account that is not set up here."""
        return _named(name, self.accounts, "account")

    def books_account(self, name: str) -> BooksAccount:
        """Raises VaultError for books that are not set up here."""
        return _named(name, self.books, "books")

    def payment_account(self, name: str) -> PaymentAccount:
        """Raises VaultError for an account that does not pay from here."""
        return _named(name, self.payments, "paying account")

    def social_account(self, name: str) -> SocialAccount:
        """Raises VaultError for an account that is not set up here."""
        return _named(name, self.social, "social account")

    @property
    def networks(self) -> tuple[SocialAccount | WhatsAppAccount, ...]:
        """Social networks and WhatsApp."""
        found: tuple[SocialAccount | WhatsAppAccount, ...] = (*self.social, *self.whatsapp)
        return found

    def whatsapp_account(self, name: str) -> WhatsAppAccount:
        """Raises VaultError for an account that is not set up here."""
        return _named(name, self.whatsapp, "WhatsApp account")

    @property
    def own_addresses(self) -> frozenset[str]:
        return frozenset(account.address for account in self.accounts)


@dataclass(frozen=True)
class Home:
    """The private folder (0700). Nothing in it is ever synced."""

    path: Path

    @classmethod
    def default(cls) -> Path:
        """`$COUNTERSIGN_HOME`, else `$XDG_DATA_HOME/countersign`, else `~/.local/share/countersign`."""
        chosen = os.environ.get("COUNTERSIGN_HOME")
        if chosen:
            return Path(chosen)
        base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
        return Path(base) / "countersign"

    @property
    def config(self) -> Path:
        return self.path / "config.toml"

    @property
    def approval_key(self) -> Path:
        return self.path / "keys" / "approval"

    @property
    def local_key(self) -> Path:
        return self.path / "keys" / "local"

    @property
    def pinned(self) -> Path:
        return self.path / "pinned.json"

    @property
    def secret(self) -> Path:
        """Hex of 32 random bytes: keys the HMACs of Message-IDs and of dropped files' task ids."""
        return self.path / "secret"

    @property
    def vault_id(self) -> Path:
        """The id of the vault that `init` will begin here, if the hub turns out to be empty."""
        return self.path / "vault-id"

    @property
    def hub_token(self) -> Path:
        """Local's token at a resident hub."""
        return self.path / "hub-token"

    def ping(self, monitor: str) -> Path:
        """The address of a push monitor, which is a secret."""
        return self.path / f"ping-{monitor}"

    @property
    def hub_ca(self) -> Path:
        """The certificates to trust for the hub, when they are not those of the system."""
        return self.path / "hub-ca.pem"

    @property
    def executor(self) -> Path:
        """Left out of every backup, and void on another machine."""
        return self.path / "this-machine" / "executor.json"

    @property
    def ledger(self) -> Path:
        return self.path / "state" / "ledger.sqlite"

    @property
    def clone(self) -> Path:
        return self.path / "state" / "clone.git"

    @property
    def checkpoint(self) -> Path:
        return self.path / "state" / "checkpoint.json"

    @property
    def mirror_base(self) -> Path:
        return self.path / "state" / "mirror.sqlite"

    @property
    def lessons(self) -> Path:
        """Which lessons were learned from which tasks."""
        return self.path / "state" / "lessons.json"

    @property
    def checks(self) -> Path:
        return self.path / "state" / "checks.json"

    @property
    def heard(self) -> Path:
        """When the hub and each agent last gave a sign of life."""
        return self.path / "state" / "heard.json"

    @property
    def briefing_told(self) -> Path:
        """The briefing that the monitor was last told of."""
        return self.path / "state" / "briefing-told"

    @property
    def dropped(self) -> Path:
        """The files that were dropped into Inbox/, by their hash."""
        return self.path / "state" / "dropped"

    @property
    def attachments(self) -> Path:
        """The files that mails may carry, by their hash."""
        return self.path / "state" / "attachments"

    @property
    def forwards(self) -> Path:
        """What the owner wants passed on, a file for each task."""
        return self.path / "state" / "forwards"

    @property
    def credentials(self) -> Credentials:
        """What acts in the owner's name. Never synced, never in a backup in the clear."""
        return Credentials(self.path / "credentials.json", self.path / "keys" / "credentials")

    @property
    def reminded(self) -> Path:
        """When the owner was last reminded of old credentials."""
        return self.path / "state" / "reminded"

    @property
    def payees(self) -> Path:
        return self.path / "state" / "payees.sqlite"

    @property
    def statements(self) -> Path:
        """Marks of the movements that bank statements had."""
        return self.path / "state" / "statements"

    @property
    def transfers(self) -> Path:
        """A copy of every file that was made for a bank."""
        return self.path / "state" / "transfers"

    @property
    def handbook(self) -> Path:
        """Company_Handbook.md as the last head has it that was followed: for the servers, which read no vault."""
        return self.path / "state" / "handbook.md"

    @property
    def devices(self) -> Path:
        """The devices that are paired with the page: names and hashes."""
        return self.path / "state" / "devices.json"

    @property
    def notified(self) -> Path:
        """What the owner was told of, by which way."""
        return self.path / "state" / "notified.json"

    @property
    def chats(self) -> Path:
        """The words of chats, and of answers to them, that stay on this machine."""
        return self.path / "state" / "chats"

    @property
    def whatsapp(self) -> Path:
        """A folder for each WhatsApp account: its session, the code to pair it with, what came in."""
        return self.path / "state" / "whatsapp"

    @property
    def status(self) -> Path:
        return self.path / "state" / "status.json"

    @property
    def socket(self) -> Path:
        return self.path / "run" / "control.sock"

    def settings(self) -> Settings:
        """Raises NotSetUp, or VaultError that names the setting and what is wrong with it."""
        try:
            values: dict[str, Any] = tomllib.loads(self.config.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise NotSetUp(f"no Countersign home at {self.path}; run `countersign init` first") from None
        except tomllib.TOMLDecodeError as error:
            raise VaultError(f"{self.config}: {error}") from None
        try:
            return self.anchored(Settings.model_validate(values))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise VaultError(f"{self.config}: {where}: {first['msg']}") from None

    def connect(self, settings: Settings, store: GitStore) -> Hub:
        """The hub of these settings. Raises VaultError when address, token or CA file cannot be used."""
        read = partial(hub_token.read, self.hub_token, settings) if hub_token.belongs_to(settings) else None
        return connect(store, settings.hub, token=read, ca_file=settings.hub_ca_file)

    def anchored(self, settings: Settings) -> Settings:
        """With the hub's files found from anywhere."""
        files = {name: getattr(settings, name) for name in ("hub_token_file", "hub_ca_file")}
        return settings.model_copy(
            update={name: self.path / file.expanduser() for name, file in files.items() if file is not None}
        )

    def payment_token(self, account: PaymentAccount) -> str:
        """Raises NoToken."""
        try:
            if account.token_file is None:
                return self.credentials.get(account.secret_entry)
            return secret_line(self.path / account.token_file.expanduser())
        except VaultError as error:
            raise NoToken(f"payments {account.name}: {error}") from None

    def limit(self, kind: str) -> Limit:
        """How many effects of this type of action are allowed: config.toml says it, else the Handbook, else `kinds`."""
        known = KINDS[kind]
        rows = self.limits().rows
        return limits.overruled(rows.get(known.named, known.limit), self.settings().limits, known.setting)

    def limits(self) -> Limits:
        """The Handbook's table, with the rows of it that say nothing."""
        text = self.handbook.read_text(encoding="utf-8", errors="replace") if self.handbook.exists() else ""
        return limits.read(text, [one.named for one in KINDS.values()])

    def secret_bytes(self) -> bytes:
        return bytes.fromhex(self.secret.read_text(encoding="ascii").strip())

    def approval_public_key(self) -> PublicKey:
        return load_public(self.approval_key.with_name("approval.pub"))

    def cloud_agents(self, vault: str) -> tuple[AgentId, ...]:
        """The pinned agents that are not ours and were not put out."""
        keys, gone = self.trust(vault).keys, self.revoked()
        return tuple(name for name, (role, _) in sorted(keys.items()) if role is Role.CLOUD and name not in gone)

    def revoked(self) -> frozenset[str]:
        """The pinned agents that are waited for no more; their keys stay, for what they wrote is judged by them."""
        pinned = json.loads(self.pinned.read_text(encoding="utf-8"))
        return frozenset(name for name, entry in pinned.items() if entry.get("revoked"))

    def trust(self, vault: str) -> Trust:
        """The keys pinned by `countersign init`, our own among them."""
        pinned = json.loads(self.pinned.read_text(encoding="utf-8"))
        keys = {AgentId(name): (Role(entry["role"]), PublicKey.parse(entry["key"])) for name, entry in pinned.items()}
        return Trust(vault, keys)
