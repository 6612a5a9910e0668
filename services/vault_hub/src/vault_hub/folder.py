"""A hub's folder: made once, by `init` or by the first owner who joins; hub.toml is written last."""

from __future__ import annotations

from pathlib import Path

from vault_protocol import remote
from vault_protocol.errors import VaultError
from vault_protocol.files import write_private, write_whole
from vault_protocol.sshsig import PublicKey

CONFIG = "hub.toml"


def make(home: Path, vault: str, owner_key: PublicKey, extra: tuple[str, ...] = ()) -> Path:
    """Its settings file. `extra`: further lines of it. Raises VaultError when there is a hub already."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    config = home / CONFIG
    if config.exists():
        raise VaultError(f"{config} exists; this hub is set up already")
    if not (home / "vault.git" / "HEAD").exists():
        remote.create(home / "vault.git")
    for private in ("agents", "secrets"):
        (home / private).mkdir(exist_ok=True, mode=0o700)
    write_private(home / "owner.pub", (owner_key.line("owner") + "\n").encode())
    lines = [
        f'vault = "{vault}"', 'repository = "vault.git"', 'agents_dir = "agents"', 'state_dir = "state"',
        'owner_key_file = "owner.pub"', 'secrets_dir = "secrets"', *extra,
    ]  # fmt: skip
    write_private(config, ("\n".join(lines) + "\n").encode())
    return config


def introduce(folder: Path, vault: str, owner_key: PublicKey) -> None:
    """What an agent of this machine has to know of the vault, where it can read it: both are public."""
    write_whole(folder / "owner.pub", (owner_key.line("owner") + "\n").encode())
    write_whole(folder / "vault", f"{vault}\n".encode())
