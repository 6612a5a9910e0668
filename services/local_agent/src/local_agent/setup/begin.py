"""The first half of `init`: what this machine makes by itself, before anybody is asked. Keys, pins, ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from local_agent.executor_id import executor_id
from local_agent.home import LOCAL, Home
from local_agent.setup import key_files
from vault_protocol.errors import VaultError
from vault_protocol.sshsig import PublicKey
from vault_protocol.task import AgentId, Role

Protection = Literal["passphrase", "keyring", "fido", "none"]


@dataclass(frozen=True, kw_only=True)
class KeyWishes:
    """How the owner wants their keys. `token`: for fido, an existing handle or public key."""

    protection: Protection = "passphrase"
    passphrase: str | None = field(default=None, repr=False)
    token: Path | None = None
    keys_from: Path | None = None
    pins: Mapping[AgentId, PublicKey] = field(default_factory=dict)


@dataclass(frozen=True)
class Begun:
    """What a resident hub has to be told before it lets us in. `vault`: the id of the vault that would begin here."""

    approval: PublicKey
    local: PublicKey
    executor: str
    vault: str


def begin(home: Home, wishes: KeyWishes, step: Callable[[str], None] = lambda name: None) -> Begun:
    """Make what is not there yet. Raises VaultError."""
    if home.config.exists():
        raise VaultError(f"{home.path} is set up already")
    home.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    home.path.chmod(0o700)
    if wishes.keys_from is not None:
        key_files.adopt(home, wishes.keys_from)
    approval = key_files.approval_key(home, wishes.protection, wishes.passphrase, wishes.token)
    step("approval key")
    own = key_files.local_key(home)
    step("local key")
    key_files.secret(home)
    key_files.pin(home, {**key_files.own_pin(own), **cloud_pins(wishes.pins)})
    begun = Begun(approval, own, executor_id(home.executor), key_files.vault_id(home))
    step("private files")
    return begun


def begun_before(home: Home) -> Begun:
    """Of a home that is set up. Raises VaultError."""
    vault = home.settings().vault
    return Begun(home.approval_public_key(), key_files.local_key(home), executor_id(home.executor), vault)


def cloud_pins(pins: Mapping[AgentId, PublicKey]) -> dict[AgentId, tuple[Role, PublicKey]]:
    if LOCAL in pins:
        raise VaultError(f"the name {LOCAL} is this machine's own")
    return {name: (Role.CLOUD, key) for name, key in pins.items()}
