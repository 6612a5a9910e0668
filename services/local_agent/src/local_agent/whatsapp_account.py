"""The owner's WhatsApp: a number, the way to it, and what of its chats may become work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from local_agent.kept_secret import NoSecret, kept_secret
from local_agent.networks.network import BadLogin
from local_agent.own_machine import protected
from local_agent.webhook_keys import Keys

Number = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]


class WhatsAppAccount(BaseModel):
    """`cloud`: WhatsApp's own interface for businesses, with a token. `linked`: this machine as a linked device."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    way: Literal["cloud", "linked"]
    number: Number
    """Our own."""
    phone_id: str = Field(default="", pattern=r"^[0-9]{0,30}$")
    """For `cloud`: the id that WhatsApp gave the number."""
    secret_file: Path | None = None
    """For `cloud`: the access token; without it the token is in the OS keyring."""
    webhook_port: int = Field(default=0, ge=0, le=65535)
    """For `cloud`: where on loopback messages are delivered, by a tunnel of the owner's; 0: nothing is received."""
    webhook_file: Path | None = None
    """JSON with app_secret and verify_token; without it that is in the OS keyring."""
    url: str = "https://graph.facebook.com"
    version: str = Field(default="v24.0", pattern=r"^v[0-9]{1,3}\.[0-9]$")
    contacts: tuple[Number, ...] = ()
    """Whose messages become tasks. With none, everybody's whose message holds a keyword."""
    keywords: tuple[str, ...] = ()
    """Words of which a message must hold one; with none, every message of a contact."""
    share: bool = False
    """Whether what is said may go into the vault, and so to Cloud. False: it stays on this machine."""
    timeout_seconds: float = Field(default=30, gt=0, le=600)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        protected(self.url, f"account {self.name}")
        if self.way == "cloud" and not self.phone_id:
            raise ValueError(f"account {self.name}: phone_id is missing")
        return self

    @property
    def keyring_entry(self) -> str:
        return f"whatsapp {self.name}: {self.number}"

    def secret(self) -> str:
        """Raises BadLogin."""
        try:
            return kept_secret(self.secret_file, self.keyring_entry, f"token of {self.number}")
        except NoSecret as error:
            raise BadLogin(f"account {self.name}: {error}") from None

    @property
    def webhook_entry(self) -> str:
        return f"whatsapp {self.name}: webhook"

    def webhook_keys(self) -> Keys:
        """Raises BadLogin."""
        try:
            secret = kept_secret(self.webhook_file, self.webhook_entry, f"webhook's secret of {self.number}")
        except NoSecret as error:
            raise BadLogin(f"account {self.name}: {error}") from None
        return Keys.of(secret, f"account {self.name}")

    def secrets(self) -> Iterator[str]:
        """What must never leave this machine, the token first. Raises BadLogin."""
        if self.way == "cloud":
            yield self.secret()
            if self.webhook_port:
                keys = self.webhook_keys()
                yield from (keys.app_secret, keys.verify_token)
