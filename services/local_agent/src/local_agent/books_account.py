"""The owner's books: where they are, and the key that may post in them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from books.errors import BadCredentials
from books.rpc import Access
from local_agent.kept_secret import NoSecret, kept_secret
from local_agent.own_machine import protected


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
        protected(self.url, f"books {self.name}")
        return self

    @property
    def keyring_entry(self) -> str:
        return f"books {self.name}: {self.login} of {self.database} at {self.url}"

    def key(self) -> str:
        """Raises BadCredentials."""
        try:
            return kept_secret(self.key_file, self.keyring_entry, f"key of {self.login} at {self.url}")
        except NoSecret as error:
            raise BadCredentials(f"books {self.name}: {error}") from None

    def access(self) -> Access:
        """Reads the key; raises BadCredentials."""
        return Access(
            url=self.url, database=self.database, login=self.login, key=self.key(), ca_file=self.ca_file,
            timeout_seconds=self.timeout_seconds, interface=self.interface,
        )  # fmt: skip
