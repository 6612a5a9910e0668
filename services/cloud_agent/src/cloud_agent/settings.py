"""The agent's settings: one TOML file, read once, frozen. Secrets are files that it names."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from cloud_agent.bookkeeping.books_settings import BooksSettings
from cloud_agent.introduction import Introduction
from cloud_agent.watchers.mailbox_settings import AnyMailbox
from drafting.settings import DrafterSettings
from vault_protocol.action import Address
from vault_protocol.errors import VaultError
from vault_protocol.keys import load_public
from vault_protocol.sshsig import PublicKey
from vault_protocol.task import Domain

SOURCES = frozenset({"imap", "gmail"})
"""Kinds of mailboxes: they stand in the place of a fault, and in no file."""
PLACE = r"^[A-Za-z0-9.-]+:[0-9]{1,5}$"
ACCOUNT = r"^[a-z][a-z0-9-]{0,30}$"


class BadSettings(VaultError):
    """The settings file cannot be used; the message names the file, the key and what to do."""


class Settings(BaseModel):
    """What the operator supplies. Relative paths begin at the settings file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    agent: Annotated[str, Field(pattern=ACCOUNT)] = "cloud"
    vault: Annotated[str, Field(min_length=1)]
    """The vault's id, as `countersign init` prints it."""
    hub: Annotated[str, Field(min_length=1)]
    """`https://HOST` of a resident hub, or, without a token, whatever git can fetch from and push to."""
    hub_token_file: Path | None = None
    """This agent's token at a resident hub."""
    hub_ca_file: Path | None = None
    """The certificates to trust for the hub; without it, those of the system."""
    hub_way_out: Annotated[str | None, Field(pattern=PLACE)] = None
    """HOST:PORT of an HTTP proxy that the hub is reached through."""
    state_dir: Path
    key_file: Path
    secret_file: Path
    owner_key_file: Path | None = None
    """The public half of the owner's approval key: whoever signs with it may give the vault a new root."""
    owner_name: Annotated[str, Field(min_length=1)]
    """Drafts are signed with it, and it stands in From."""
    own_addresses: tuple[str, ...] = ()
    """The owner's addresses beside those of the mailboxes; mail from them is never answered."""
    skills_dir: Path = Path("skills")
    poll_seconds: Annotated[float, Field(gt=0, le=3600)] = 5.0
    """How long to wait for a word from the hub before looking there again."""
    lease_seconds: Annotated[int, Field(ge=1, le=86400)] = 600
    domains: Annotated[tuple[Domain, ...], Field(min_length=1)] = (
        Domain.EMAIL, Domain.FILES, Domain.ACCOUNTING, Domain.SOCIAL,
    )  # fmt: skip
    """What this agent takes work of."""
    leave_seconds: Annotated[int, Field(ge=0, le=86400)] = 0
    """How long a mail that is not on this machine is left to the agent that has it, where there are several."""
    keep_raw_days: Annotated[int, Field(ge=1)] = 30
    """How long the raw mail of a task that has ended stays on this machine."""
    keep_raw_mib: Annotated[int, Field(ge=1)] = 4096
    """What that may fill; the oldest goes first, but for what tasks that have not ended need."""
    heartbeat_seconds: Annotated[int, Field(ge=60, le=86400)] = 600
    """How long the vault may hear nothing from this agent: after that it says that it is alive, 144 times a day."""
    error_tracker_file: Path | None = None
    """Holds a Sentry address; a bug that ends the program is told there, without a word of what it worked on."""
    health_host: str = "127.0.0.1"
    health_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Where /healthz, /state and /metrics are answered, for monitors; nowhere without it."""
    log_format: Literal["json", "key-value"] = "json"
    way_out: Annotated[str | None, Field(pattern=PLACE)] = None
    """HOST:PORT of an HTTP proxy that every mailbox is reached through; the model's is HTTPS_PROXY."""
    drafter: DrafterSettings = DrafterSettings()
    mailboxes: tuple[AnyMailbox, ...] = ()
    books: BooksSettings | None = None

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        names = [mailbox.name for mailbox in self.mailboxes]
        if len(set(names)) != len(names):
            raise ValueError(f"two mailboxes are called {next(n for n in names if names.count(n) > 1)!r}; rename one")
        for mailbox in self.mailboxes:
            if len(mailbox.name) > 31 or not mailbox.name[0].isalpha():
                raise ValueError(f"mailbox {mailbox.name!r}: begin with a letter, 31 characters at most")
            Address(name=self.owner_name, address=mailbox.address)
        if self.books and self.books.mailbox and self.books.mailbox not in names:
            raise ValueError(
                f"books.mailbox {self.books.mailbox!r} is no mailbox; there are: {', '.join(names) or 'none'}"
            )
        if self.drafter.provider != "offline" and self.lease_seconds <= self.drafter.timeout_seconds:
            raise ValueError("lease_seconds must be longer than drafter.timeout_seconds, or no draft is ever in time")
        return self

    @property
    def every_own_address(self) -> frozenset[str]:
        return frozenset({*self.own_addresses, *(mailbox.address for mailbox in self.mailboxes)})

    def owner_key(self) -> PublicKey | None:
        """Raises BadSettings."""
        if self.owner_key_file is None:
            return None
        try:
            return load_public(self.owner_key_file)
        except VaultError as error:
            raise BadSettings(f"owner_key_file: {error}; `python -m cloud_agent init --owner-key` makes one") from None

    def secret(self) -> bytes:
        """The installation secret. Raises BadSettings."""
        try:
            secret = bytes.fromhex(self.secret_file.read_text(encoding="ascii").strip())
        except (OSError, ValueError) as error:
            raise BadSettings(f"secret_file: cannot use {self.secret_file} ({type(error).__name__}); "
                              "`python -m cloud_agent init` makes one") from None  # fmt: skip
        if len(secret) < 16:
            raise BadSettings(f"secret_file: {self.secret_file} holds less than 16 bytes of hex; make a new one")
        return secret


def read(path: Path, introduced: Introduction | None = None) -> Settings:
    """Raises BadSettings, one line. `introduced`: what the file need not say itself."""
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        if introduced is not None:
            values = {"vault": introduced.vault, "owner_key_file": introduced.owner_key_file, **values}
    except FileNotFoundError:
        raise BadSettings(f"{path}: there is no such file; name the settings with --config FILE") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSettings(f"{path}: {str(error).splitlines()[0]}") from None
    try:
        return _anchored(Settings.model_validate(values), path.absolute().parent)
    except ValidationError as error:
        raise BadSettings(f"{path}: {_explained(error.errors()[0])}") from None


def _explained(fault: ErrorDetails) -> str:
    key = ".".join(str(part) for part in fault["loc"] if part not in SOURCES)
    match fault["type"]:
        case "missing":
            return f"{key} is missing; add it"
        case "extra_forbidden":
            return f"{key} is no setting; take it out or correct its name"
        case _:
            message = fault["msg"].removeprefix("Value error, ").splitlines()[0]
            return f"{key}: {message}" if key else message


def _anchored(settings: Settings, folder: Path) -> Settings:
    """With every path absolute."""
    drafter = settings.drafter
    if drafter.api_key_file is not None:
        drafter = drafter.model_copy(update={"api_key_file": folder / drafter.api_key_file})
    changes: dict[str, object] = {
        name: folder / getattr(settings, name) for name in ("state_dir", "key_file", "secret_file", "skills_dir")
    }
    for name in ("hub_token_file", "hub_ca_file", "error_tracker_file"):
        file: Path | None = getattr(settings, name)
        changes[name] = folder / file if file is not None else None
    changes["drafter"] = drafter
    changes["owner_key_file"] = folder / settings.owner_key_file if settings.owner_key_file else None
    changes["mailboxes"] = tuple(mailbox.anchored(folder, settings.way_out) for mailbox in settings.mailboxes)
    if settings.books is not None:
        books = settings.books
        files = {"key_file": folder / books.key_file, "ca_file": folder / books.ca_file if books.ca_file else None}
        changes["books"] = books.model_copy(update=files)
    return settings.model_copy(update=changes)
