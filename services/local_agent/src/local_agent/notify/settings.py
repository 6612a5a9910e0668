"""`[[notify]]` in config.toml: one way each to tell the owner that something waits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from local_agent.own_machine import protected

Way = Literal["desktop", "ntfy", "telegram", "mail"]
SERVERS = {"ntfy": "https://ntfy.sh", "telegram": "https://api.telegram.org"}


class NotifySettings(BaseModel):
    """`telling`: only how many wait, or their subjects, too. Never a word of a draft."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    way: Way
    telling: Literal["count", "subjects"] = "count"
    quiet_minutes: Annotated[int, Field(ge=0, le=1440)] = 1
    """At least so long between two of them; what comes meanwhile is told together."""
    server: str = ""
    """ntfy's or Telegram's, when it is another than the public one."""
    ca_file: Path | None = None
    chat: Annotated[str, Field(pattern=r"^(@\w{5,32}|-?\d{1,20})?$")] = ""
    """telegram: the chat with the bot."""
    account: str = ""
    """mail: an account with a submission server; it writes to its own address and to no other."""

    @property
    def secret_entry(self) -> str:
        """ntfy: the topic, and after a blank the access token if there is one. telegram: the bot's token."""
        return f"notify.{self.name}"

    @property
    def address(self) -> str:
        """Of the server, for ntfy and telegram."""
        return (self.server or SERVERS.get(self.way, "")).rstrip("/")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.way == "telegram" and not self.chat:
            raise ValueError(f"notify {self.name}: chat is needed, the id of your chat with the bot")
        if self.way == "mail" and not self.account:
            raise ValueError(f"notify {self.name}: account is needed, the mail account that writes to itself")
        if self.address:
            protected(self.address, f"notify {self.name}")
        return self
