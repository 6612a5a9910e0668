"""The owner's account on a social network: where it is, whose it is, and the secret that may publish there."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from local_agent.kept_secret import NoSecret, kept_secret
from local_agent.networks.network import BadLogin
from local_agent.own_machine import protected
from vault_protocol.social_action import Network as Name

ADDRESSES: dict[Name, str] = {
    "linkedin": "https://api.linkedin.com", "facebook": "https://graph.facebook.com",
    "instagram": "https://graph.facebook.com", "x": "https://api.x.com", "bluesky": "https://bsky.social",
}  # fmt: skip
"""Where each network answers; a Mastodon account names its own server."""

NEEDS_USER: dict[Name, str] = {
    "linkedin": "urn:li:person:… or urn:li:organization:…", "facebook": "the id of the Page",
    "instagram": "the id of the professional account", "bluesky": "the handle",
}  # fmt: skip


class SocialAccount(BaseModel):
    """One account. Without a `secret_file` the secret is in the OS keyring.

    The secret is an access token; for Bluesky an app password; for X a JSON object with consumer_key, consumer_secret,
    token and token_secret.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    network: Name
    url: str = ""
    user: str = Field(default="", max_length=200)
    page: str = Field(default="", pattern=r"^[0-9]{0,30}$")
    """For Instagram: the Facebook Page that the account belongs to."""
    secret_file: Path | None = None
    version: str = Field(default="", pattern=r"^(?:[0-9]{6}|v[0-9]{1,3}\.[0-9])?$")
    """Of the interface: 202510 for LinkedIn, v24.0 for Facebook and Instagram."""
    read: bool = True
    """Whether mentions and comments become tasks."""
    ca_file: Path | None = None
    timeout_seconds: float = Field(default=30, gt=0, le=600)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        protected(self.address, f"account {self.name}")
        if self.network in NEEDS_USER and not self.user:
            raise ValueError(f"account {self.name}: user is missing ({NEEDS_USER[self.network]})")
        if self.network == "instagram" and not self.page:
            raise ValueError(f"account {self.name}: page is missing (the id of the Page that it belongs to)")
        return self

    @property
    def address(self) -> str:
        return self.url or ADDRESSES.get(self.network, "")

    @property
    def keyring_entry(self) -> str:
        return f"{self.network} {self.name}: {self.user or self.address}"

    def secret(self) -> str:
        """Raises BadLogin."""
        try:
            return kept_secret(self.secret_file, self.keyring_entry, f"secret of {self.keyring_entry!r}")
        except NoSecret as error:
            raise BadLogin(f"account {self.name}: {error}") from None

    def secrets(self) -> Iterable[str]:
        """Every value in the secret, for the scan of what leaves this machine. Raises BadLogin."""
        secret = self.secret()
        return (secret, *self.fields().values()) if self.network == "x" else (secret,)

    def fields(self) -> dict[str, str]:
        """The secret of X, which is four. Raises BadLogin."""
        try:
            found = json.loads(self.secret())
            return {name: str(found[name]) for name in ("consumer_key", "consumer_secret", "token", "token_secret")}
        except (ValueError, KeyError, TypeError):
            raise BadLogin(
                f"account {self.name}: its secret is no JSON object with consumer_key, consumer_secret, token "
                "and token_secret"
            ) from None
