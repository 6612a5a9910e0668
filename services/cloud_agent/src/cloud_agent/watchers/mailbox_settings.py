"""Which mailboxes Cloud watches, as the operator writes them down."""

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from cloud_agent.watchers.gmail.grant import Grant

LONGEST_IDLE_SECONDS = 29 * 60
"""RFC 2177: servers may end an IDLE after 30 minutes."""


class Credential(StrEnum):
    """What whoever steals it from Cloud could do with what opens a mailbox."""

    READS_ONLY = "reads-only"
    """A grant of Gmail's read-only scope: Google itself takes no mail from it."""
    OWN_INBOX = "own-inbox"
    """The password of an account that only receives forwarded copies: it could send, but as nobody whom people know."""
    HELD = "held-by-the-way-out"
    """A password that could send as the owner; the way out leads to no port that takes mail in."""
    COULD_SEND = "could-send"
    """The same, and nothing holds it."""


class WatchedMailbox(BaseModel):
    """What is the same of every mailbox."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    kind: Literal["personal", "business"]
    address: str
    """The owner's: drafts are written from it."""
    since: date | None = None
    """Older mail is never looked at, also after the server renumbered everything; None looks at all of it."""
    timeout_seconds: float = Field(default=60, gt=0)
    largest_bytes: int = Field(default=50 * 2**20, gt=0)
    """Of larger messages only the headers are fetched."""
    way_out: str | None = Field(default=None, pattern=r"^[A-Za-z0-9.-]+:[0-9]{1,5}$")
    """HOST:PORT of an HTTP proxy that the server is reached through; the settings' own, when they name one."""


class MailboxSettings(WatchedMailbox):
    """A mailbox on an IMAP server, opened by a password, which can usually send too."""

    source: Literal["imap"] = "imap"
    host: str
    port: int = Field(ge=1, le=65535)
    user: str
    password_file: Path
    own_inbox: bool = False
    """This account only receives forwarded copies of the owner's mail, and nobody writes from it."""
    tls: bool = True
    folder: str = "INBOX"
    idle_seconds: float = Field(default=LONGEST_IDLE_SECONDS, gt=0, le=LONGEST_IDLE_SECONDS)

    @model_validator(mode="after")
    def _no_password_in_clear_over_the_internet(self) -> Self:
        if not self.host.isascii():
            raise ValueError(f"mailbox {self.name}: write host in ASCII (xn--…)")
        if not self.tls and not _is_near(self.host):
            raise ValueError(f"mailbox {self.name}: without tls only this machine or a private network")
        if self.own_inbox and self.user.casefold() == self.address.casefold():
            raise ValueError(f"mailbox {self.name}: an inbox of its own has another user than the owner's address")
        return self

    @property
    def credential(self) -> Credential:
        if self.own_inbox:
            return Credential.OWN_INBOX
        return Credential.HELD if self.way_out else Credential.COULD_SEND

    def anchored(self, folder: Path, way_out: str | None) -> Self:
        """With its file found from `folder`, and the way out of the settings where it names none."""
        changes = {"password_file": folder / self.password_file, "way_out": self.way_out or way_out}
        return self.model_copy(update=changes)

    def secrets(self) -> Iterator[tuple[str, str]]:
        """(what it is, its text) of each. Raises OSError or ValueError for a file that cannot be read."""
        yield f"mailbox-{self.name}", self.password_file.read_text(encoding="utf-8").strip()


class GmailSettings(WatchedMailbox):
    """A mailbox at Gmail, read by its API with a grant that can do nothing else."""

    source: Literal["gmail"]
    grant_file: Path
    """What `python -m cloud_agent gmail-login` wrote."""
    label: str = Field(default="INBOX", pattern=r"^[A-Za-z0-9_]{1,80}$")
    poll_seconds: float = Field(default=20, gt=0, le=3600)
    """How often Gmail is asked for news: it has no other way to tell a machine without an address of its own."""
    api_url: str = "https://gmail.googleapis.com"
    login_url: str = "https://oauth2.googleapis.com"

    @model_validator(mode="after")
    def _no_grant_in_clear_over_the_internet(self) -> Self:
        for url in (self.api_url, self.login_url):
            parts = urlsplit(url)
            if not parts.hostname or parts.path or parts.query or parts.scheme not in ("http", "https"):
                raise ValueError(f"mailbox {self.name}: {url} is no https://HOST")
            if parts.scheme == "http" and not _is_near(parts.hostname):
                raise ValueError(f"mailbox {self.name}: {url} without TLS is only for this machine")
        return self

    @property
    def credential(self) -> Credential:
        """What the grant's scopes are held to each time it is used."""
        return Credential.READS_ONLY

    @property
    def host(self) -> str:
        return urlsplit(self.api_url).hostname or ""

    @property
    def port(self) -> int:
        parts = urlsplit(self.api_url)
        return parts.port or (443 if parts.scheme == "https" else 80)

    def anchored(self, folder: Path, way_out: str | None) -> Self:
        changes = {"grant_file": folder / self.grant_file, "way_out": self.way_out or way_out}
        return self.model_copy(update=changes)

    def secrets(self) -> Iterator[tuple[str, str]]:
        grant = Grant.model_validate_json(self.grant_file.read_bytes())
        yield f"mailbox-{self.name}", grant.refresh_token
        yield f"mailbox-{self.name}-client", grant.client_secret


def _source(value: Any) -> str:
    found = value.get("source", "imap") if isinstance(value, dict) else getattr(value, "source", "imap")
    return found if isinstance(found, str) else "imap"


AnyMailbox = Annotated[
    Annotated[MailboxSettings, Tag("imap")] | Annotated[GmailSettings, Tag("gmail")], Discriminator(_source)
]


def _is_near(host: str) -> bool:
    """A loopback or private address, or a one-word name (localhost, a compose service)."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host
