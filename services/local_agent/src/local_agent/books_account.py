"""The owner's books: where they are, and the key that may post in them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from books.errors import BadCredentials
from books.rpc import Access
from local_agent.mail_account import is_this_machine


class BooksAccount(BaseModel):
    """One Odoo database. The key is an API key of a user in Billing; Cloud has another, which cannot post.

    Without a `key_file` the key is in the OS keyring.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    url: str
    database: str
    login: str
    key_file: Path | None = None
    interface: Literal["json-rpc", "json-2"] = "json-rpc"
    ca_file: Path | None = None
    timeout_seconds: float = Field(default=30, gt=0, le=600)

    @model_validator(mode="after")
    def _no_key_in_clear_over_a_network(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_this_machine(parts.hostname or "")):
            raise ValueError(f"books {self.name}: the address must begin with https://")
        return self

    @property
    def keyring_entry(self) -> str:
        return f"books {self.name}: {self.login} of {self.database} at {self.url}"

    def key(self) -> str:
        """Raises BadCredentials."""
        if self.key_file is None:
            return self._from_keyring()
        try:
            return self.key_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise BadCredentials(f"books {self.name}: cannot read {self.key_file}") from None

    def _from_keyring(self) -> str:
        from local_agent import os_keyring  # loads slowly, and only a key that is kept there needs it

        try:
            found = os_keyring.find(self.keyring_entry)
        except os_keyring.KeyringUnavailable as error:
            raise BadCredentials(f"books {self.name}: {error}") from None
        if found is None:
            raise BadCredentials(f"books {self.name}: the OS keyring has no key of {self.login} at {self.url}")
        return found

    def access(self) -> Access:
        """Reads the key; raises BadCredentials."""
        return Access(
            url=self.url, database=self.database, login=self.login, key=self.key(), ca_file=self.ca_file,
            timeout_seconds=self.timeout_seconds, interface=self.interface,
        )  # fmt: skip
