"""The owner's mail account: where it is, who logs in, and the errors every use of it can meet."""

from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class AuthFailed(Exception):
    """The server does not take this user name and password, or there is no password to try."""


class MailboxUnreachable(Exception):
    """The IMAP server does not answer, broke off, or answered nonsense; try again later."""


class Tls(StrEnum):
    """How a connection is protected."""

    IMPLICIT = "implicit"
    STARTTLS = "starttls"
    NONE = "none"
    """Only for a server on this machine."""


class MailAccount(BaseModel):
    """IMAP and submission with one credential that may read, write and send."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    address: str
    user: str
    password_file: Path
    imap_host: str
    imap_port: int = Field(default=993, ge=1, le=65535)
    imap_tls: Tls = Tls.IMPLICIT
    submission_host: str
    submission_port: int = Field(default=465, ge=1, le=65535)
    submission_tls: Tls = Tls.IMPLICIT
    sent_folder: str | None = None
    """Where sent mail is kept; None finds it."""
    timeout_seconds: float = Field(default=30, gt=0)
    answer_seconds: float = Field(default=600, gt=0)
    """How long the server may take to accept a whole message (RFC 5321 asks for ten minutes)."""

    @model_validator(mode="after")
    def _no_password_in_clear_over_a_network(self) -> Self:
        for host, tls in ((self.imap_host, self.imap_tls), (self.submission_host, self.submission_tls)):
            if tls is Tls.NONE and not is_this_machine(host):
                raise ValueError(f"account {self.name}: {host} needs tls")
        return self

    def password(self) -> str:
        """Read the password; raises AuthFailed."""
        try:
            return self.password_file.read_text(encoding="utf-8").strip("\r\n")
        except (OSError, UnicodeDecodeError):
            raise AuthFailed(f"account {self.name}: cannot read {self.password_file}") from None


def is_this_machine(host: str) -> bool:
    """Whether a host name can be nothing but this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
