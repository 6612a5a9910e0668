"""The owner's mail account: where it is, who logs in, and the errors every use of it can meet."""

from enum import StrEnum
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from local_agent.own_machine import is_this_machine


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
    """IMAP and submission with one credential that may read, write and send; or the API of Gmail for all of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    address: str
    user: str = ""
    password_file: Path = Path("password")
    imap_host: str = ""
    imap_port: int = Field(default=993, ge=1, le=65535)
    imap_tls: Tls = Tls.IMPLICIT
    submission_host: str = ""
    submission_port: int = Field(default=465, ge=1, le=65535)
    submission_tls: Tls = Tls.IMPLICIT
    sent_folder: str | None = None
    """Where sent mail is kept; None finds it."""
    way: Literal["smtp", "gmail"] = "smtp"
    """`gmail`: by its API, with the OAuth client and token in the secret `gmail.NAME`; no server is named then."""
    gmail_url: str = "https://gmail.googleapis.com"
    gmail_token_url: str = "https://oauth2.googleapis.com"  # noqa: S105 - an address
    gmail_label: str = ""
    """A label that sent mail gets, if it exists."""
    timeout_seconds: float = Field(default=30, gt=0)
    answer_seconds: float = Field(default=600, gt=0)
    """How long the server may take to accept a whole message (RFC 5321 asks for ten minutes)."""

    @model_validator(mode="after")
    def _no_password_in_clear_over_a_network(self) -> Self:
        if self.way == "smtp" and not (self.user and self.imap_host and self.submission_host):
            raise ValueError(f"account {self.name}: user, imap_host and submission_host are needed")
        servers = ((self.imap_host, self.imap_tls), (self.submission_host, self.submission_tls))
        for host, tls in servers if self.way == "smtp" else ():
            if tls is Tls.NONE and not is_this_machine(host):
                raise ValueError(f"account {self.name}: {host} needs tls")
        return self

    @property
    def secret_entry(self) -> str:
        """The name of its OAuth client and token among the secrets."""
        return f"gmail.{self.name}"

    def password(self) -> str:
        """Read the password; raises AuthFailed."""
        try:
            return self.password_file.read_text(encoding="utf-8").strip("\r\n")
        except (OSError, UnicodeDecodeError):
            raise AuthFailed(f"account {self.name}: cannot read {self.password_file}") from None
