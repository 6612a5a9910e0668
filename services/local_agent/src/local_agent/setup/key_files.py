"""The keys of a home: made once, never replaced, and usable again when an earlier set-up was cut off."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from local_agent import signers
from local_agent.home import LOCAL, Home
from vault_protocol import keys
from vault_protocol.connect import read_token
from vault_protocol.errors import VaultError
from vault_protocol.files import write_private
from vault_protocol.keys import KeyLocked, WrongPassphrase
from vault_protocol.sshsig import PublicKey
from vault_protocol.task import AgentId, Role

ADOPTED = (
    "keys/approval", "keys/approval.pub", "keys/local", "keys/local.pub", "secret", "pinned.json", "hub-token",
    "hub-ca.pem",
)  # fmt: skip
"""What a second machine needs of the first. The executor id is not among it: each machine has its own."""


def local_key(home: Home) -> PublicKey:
    """The key that signs this agent's changesets."""
    if not home.local_key.exists():
        return keys.save(keys.new(), home.local_key, comment="countersign-local")
    public = PublicKey.of(keys.load(home.local_key))
    _publish(home.local_key, public, "countersign-local")
    return public


def approval_key(home: Home, protection: str, passphrase: str | None, token: Path | None) -> PublicKey:
    """The key that signs approvals. `token`: for fido, the handle or public key to use instead of a new one."""
    if protection == "fido":
        return _fido(home, token)
    path = home.approval_key
    if protection == "none":
        passphrase = None
    if path.exists():
        return _existing(path, protection, passphrase)
    key = keys.new()
    if protection == "keyring":
        passphrase = passphrase or secrets.token_urlsafe(32)
        signers.remember(PublicKey.of(key), passphrase)
    return keys.save(key, path, comment="countersign-approval", passphrase=passphrase)


def secret(home: Home) -> None:
    if not home.secret.exists():
        write_private(home.secret, secrets.token_bytes(32).hex().encode("ascii") + b"\n")


def vault_id(home: Home) -> str:
    """The id of the vault that begins here; a resident hub is told it before there is a vault."""
    if not home.vault_id.exists():
        write_private(home.vault_id, f"vault-{secrets.token_hex(8)}\n".encode("ascii"))
    return home.vault_id.read_text(encoding="ascii").strip()


def hub_token(home: Home, given: Path) -> None:
    """Take this token into the home, in the place of one that was there. Raises VaultError."""
    write_private(home.hub_token, (read_token(given) + "\n").encode("ascii"))


def hub_ca(home: Home, given: Path) -> None:
    try:
        write_private(home.hub_ca, given.read_bytes())
    except OSError as error:
        raise VaultError(f"--hub-ca-file: cannot read {given}: {error.strerror}") from None


def take_joined(
    home: Home, token: str, ca: str, agents: Mapping[AgentId, PublicKey], monitors: Mapping[str, str]
) -> None:
    """What a hub gave to this machine when it joined. Raises VaultError rather than change a pinned key."""
    pin(home, {name: (Role.CLOUD, key) for name, key in agents.items()})
    if ca:
        write_private(home.hub_ca, ca.encode("ascii"))
    write_private(home.hub_token, (token + "\n").encode("ascii"))
    for name, address in monitors.items():
        write_private(home.ping(name), (address + "\n").encode("ascii"))


def pin(home: Home, agents: Mapping[AgentId, tuple[Role, PublicKey]]) -> tuple[AgentId, ...]:
    """Add these to pinned.json; the names that are new. Raises VaultError rather than change a pinned key."""
    new, _ = pin_and_revoke(home, agents, ())
    return new


def pin_and_revoke(
    home: Home, agents: Mapping[AgentId, tuple[Role, PublicKey]], names: Sequence[AgentId]
) -> tuple[tuple[AgentId, ...], tuple[AgentId, ...]]:
    """Add `agents` to pinned.json and wait no more for `names`; of each, those of which this is new.

    Raises VaultError, and nothing is changed.
    """
    pinned, gone = (home.trust("").keys, home.revoked()) if home.pinned.exists() else ({}, frozenset[str]())
    for name, entry in agents.items():
        if pinned.get(name, entry) != entry:
            raise VaultError(f"another key of {name} is pinned already; a pinned key is never replaced")
    known = {**pinned, **agents}
    for name in names:
        if name not in known or known[name][0] is not Role.CLOUD:
            there = ", ".join(sorted(one for one, (role, _) in pinned.items() if role is Role.CLOUD))
            raise VaultError(
                f"--revoked {name}: no agent of the cloud with this name is pinned here; there are: {there}"
            )
    new = tuple(name for name in agents if name not in pinned)
    put_out = tuple(name for name in dict.fromkeys(names) if name not in gone)
    if new or put_out:
        _write_pinned(home, known, gone | frozenset(put_out))
    return new, put_out


def _write_pinned(home: Home, agents: Mapping[AgentId, tuple[Role, PublicKey]], gone: frozenset[str]) -> None:
    entries = {
        name: {"role": role.value, "key": key.line(name), **({"revoked": True} if name in gone else {})}
        for name, (role, key) in sorted(agents.items())
    }
    write_private(home.pinned, (json.dumps(entries, indent=2) + "\n").encode("ascii"))


def adopt(home: Home, other: Path) -> None:
    """Take over the keys of the owner's other machine, where nothing is in their place."""
    if not (other / "keys" / "local").exists():
        raise VaultError(f"{other} is no Countersign home: it holds no keys")
    for name in ADOPTED:
        source, target = other / name, home.path / name
        if not source.exists() or (target.exists() and target.read_bytes() == source.read_bytes()):
            continue
        if target.exists():
            raise VaultError(f"{target} exists and differs from the one in {other}; nothing was changed")
        write_private(target, source.read_bytes())


def _existing(path: Path, protection: str, passphrase: str | None) -> PublicKey:
    """A key that an earlier run made, or that came from the owner's other machine."""
    public_file = path.with_name("approval.pub")
    if protection == "keyring" and passphrase is None:
        passphrase = signers.recall(keys.load_public(public_file))
    try:
        public = PublicKey.of(keys.load(path, passphrase))
    except WrongPassphrase:
        raise VaultError(f"{path} was made earlier and has another passphrase; give that one") from None
    except KeyLocked:
        if protection != "passphrase":
            raise VaultError(f"{path} has a passphrase; `--key-protection {protection}` does not fit it") from None
        return keys.load_public(public_file)
    if protection == "passphrase" and passphrase is None:
        raise VaultError(f"{path} was made without a passphrase; `--key-protection none` fits it")
    if protection == "keyring" and passphrase:
        signers.remember(public, passphrase)
    _publish(path, public, "countersign-approval")
    return public


def _fido(home: Home, token: Path | None) -> PublicKey:
    path = home.approval_key
    public_file = path.with_name("approval.pub")
    if not public_file.exists() and token is not None:
        handle, public = (token.with_suffix(""), token) if token.suffix == ".pub" else (token, _beside(token))
        keys.load_public(public)
        if handle.exists() and token.suffix != ".pub":
            write_private(path, handle.read_bytes())
        write_private(public_file, public.read_bytes())
    if not public_file.exists():
        _make_on_token(path)
    return keys.load_public(public_file)


def _make_on_token(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    argv = ["ssh-keygen", "-q", "-t", "ed25519-sk", "-O", "application=ssh:countersign", "-N", ""]
    argv += ["-C", "countersign-approval", "-f", str(path)]
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False,
            env=signers.ssh_environment(),
        )  # fmt: skip
    except FileNotFoundError:
        raise VaultError("ssh-keygen is not installed; it makes the key on the token") from None
    except subprocess.TimeoutExpired:
        raise VaultError("the token was not touched; run `countersign init` again") from None
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise VaultError(f"no key could be made on a FIDO token: {said[-1] if said else done.returncode}")


def _publish(key: Path, public: PublicKey, comment: str) -> None:
    """The public half, when a kill came before it was written."""
    path = _beside(key)
    if not path.exists():
        write_private(path, (public.line(comment) + "\n").encode("ascii"))


def _beside(key: Path) -> Path:
    return key.with_name(key.name + ".pub")


def own_pin(public: PublicKey) -> dict[AgentId, tuple[Role, PublicKey]]:
    return {LOCAL: (Role.LOCAL, public)}
