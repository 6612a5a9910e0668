"""Which mailboxes Cloud watches, as the operator writes them down."""

from datetime import date
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

LONGEST_IDLE_SECONDS = 29 * 60
"""RFC 2177: servers may end an IDLE after 30 minutes."""


class MailboxSettings(BaseModel):
    """One mailbox, opened with a credential that only reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    kind: Literal["personal", "business"]
    address: str
    host: str
    port: int = Field(ge=1, le=65535)
    user: str
    password_file: Path
    tls: bool = True
    folder: str = "INBOX"
    since: date | None = None
    """Older mail is never looked at, also after the server renumbered everything; None looks at all of it."""
    idle_seconds: float = Field(default=LONGEST_IDLE_SECONDS, gt=0, le=LONGEST_IDLE_SECONDS)
    timeout_seconds: float = Field(default=60, gt=0)
    largest_bytes: int = Field(default=50 * 2**20, gt=0)
    """Of larger messages only the headers are fetched."""
    way_out: str | None = Field(default=None, pattern=r"^[A-Za-z0-9.-]+:[0-9]{1,5}$")
    """HOST:PORT of an HTTP proxy that the server is reached through; the settings' own, when they name one."""

    @model_validator(mode="after")
    def _no_password_in_clear_over_the_internet(self) -> Self:
        if not self.host.isascii():
            raise ValueError(f"mailbox {self.name}: write host in ASCII (xn--…)")
        if not self.tls and not _is_near(self.host):
            raise ValueError(f"mailbox {self.name}: without tls only this machine or a private network")
        return self


def _is_near(host: str) -> bool:
    """A loopback or private address, or a one-word name (localhost, a compose service)."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host
