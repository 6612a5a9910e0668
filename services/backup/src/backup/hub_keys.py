"""Whose signatures a hub takes, read from its folder as it was backed up."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from backup.errors import NotProven
from vault_protocol.policy import Trust
from vault_protocol.sshsig import PublicKey
from vault_protocol.task import AgentId, Role


class _Agent(BaseModel):
    """What of an agent's file is wanted here; docs/hub.md has the whole."""

    standing: Literal["cloud", "local", "reader"]
    key: str | None = None


def trust_of(home: Path) -> Trust:
    """The keys of every agent that was ever added. Raises NotProven."""
    keys: dict[AgentId, tuple[Role, PublicKey]] = {}
    try:
        vault = tomllib.loads((home / "hub.toml").read_text(encoding="utf-8"))["vault"]
        for file in sorted((home / "agents").glob("*.json")):
            agent = _Agent.model_validate_json(file.read_bytes())
            if agent.key is not None and agent.standing != "reader":
                keys[AgentId(file.stem)] = Role(agent.standing), PublicKey.parse(agent.key)
    except (OSError, ValueError, KeyError, ValidationError) as error:
        raise NotProven(f"the hub's settings or agents do not read: {str(error).splitlines()[0]}") from None
    return Trust(str(vault), keys)
