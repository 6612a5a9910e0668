"""Who an agent is: its name, its role and the key that signs its changesets."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .task import AgentId, Role


@dataclass(frozen=True)
class Identity:
    """One agent of one vault."""

    agent: AgentId
    role: Role
    vault: str
    key: Ed25519PrivateKey = field(repr=False)
