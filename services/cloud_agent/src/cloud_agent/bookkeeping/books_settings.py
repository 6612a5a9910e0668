"""Where the books are that Cloud drafts in. Its key is of a draft-only user: it cannot post, whatever it asks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from books.rpc import Access
from vault_protocol.errors import VaultError


class BooksSettings(BaseModel):
    """One Odoo database. `name` is what the owner's machine calls it too."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")] = "books"
    url: str
    database: str
    login: str
    key_file: Path
    interface: Literal["json-rpc", "json-2"] = "json-rpc"
    ca_file: Path | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 30
    overdue_days: Annotated[int, Field(ge=1, le=365)] = 14
    """After so many days over its date an invoice is reminded of."""
    mailbox: str = ""
    """From which mailbox reminders would be written; empty: none are drafted."""

    @model_validator(mode="after")
    def _no_key_in_clear_over_a_network(self) -> Self:
        local = self.url.startswith(("http://127.0.0.1", "http://localhost", "http://odoo:"))
        if not self.url.startswith("https://") and not local:
            raise ValueError("url must begin with https:// (or name this machine, or odoo inside the compose network)")
        return self

    def access(self) -> Access:
        """Reads the key. Raises VaultError."""
        try:
            key = self.key_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise VaultError(f"books: cannot read {self.key_file}") from None
        return Access(
            url=self.url, database=self.database, login=self.login, key=key, ca_file=self.ca_file,
            timeout_seconds=self.timeout_seconds, interface=self.interface,
        )  # fmt: skip
