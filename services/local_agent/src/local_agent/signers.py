"""How an approval gets signed. Each signer is locked until `unlock`, and locks itself again when its time is up."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from local_agent import os_keyring
from local_agent.home import Home, Settings
from local_agent.os_keyring import KeyringUnavailable
from vault_protocol import keys, sshsig
from vault_protocol.approval import NAMESPACE
from vault_protocol.clock import Clock, SystemClock
from vault_protocol.errors import VaultError
from vault_protocol.keys import KeyLocked
from vault_protocol.sshsig import PublicKey

TOUCH_SECONDS = 60.0
"""How long a person may take to touch their FIDO key or to answer their agent."""

_LOCKED = "the approval key is locked; run `countersign unlock`, or approve by command"
_KEPT = (
    "PATH", "HOME", "SSH_AUTH_SOCK", "SSH_SK_PROVIDER", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE",
    "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR",
)  # fmt: skip
"""The environment ssh-keygen gets: how to find its agent and how to ask for a PIN, nothing else."""


ALWAYS = datetime.max.replace(tzinfo=UTC)
"""Until when a signer is unlocked that has nothing to lock."""


class Signer(Protocol):
    """Signs approvals while it is unlocked. Safe for several threads."""

    def unlock(self, passphrase: str | None, minutes: float) -> datetime:
        """Sign from now on for so long; until when. Raises WrongPassphrase, KeyLocked when it needs a passphrase."""
        ...

    def lock(self) -> None: ...

    def until(self) -> datetime | None:
        """When it locks itself; None while it is locked."""
        ...

    def sign(self, message: bytes, *, namespace: str = NAMESPACE) -> str:
        """The armored signature, good in this namespace only: that of approvals, or another. Raises KeyLocked."""
        ...


class PassphraseSigner:
    """The approval key, opened once and kept in memory until its time is up by the wall clock or the monotonic one."""

    def __init__(self, key: Path, clock: Clock, stored: Callable[[], str | None] = lambda: None) -> None:
        """`stored` gives the passphrase when nobody types it: from the keyring."""
        self._path, self._clock, self._stored = key, clock, stored
        self._guard = threading.Lock()
        self._key: Ed25519PrivateKey | None = None
        self._wall: datetime | None = None
        self._steady = 0.0

    def unlock(self, passphrase: str | None, minutes: float) -> datetime:
        opened = keys.load(self._path, passphrase or self._stored())
        with self._guard:
            self._key = opened
            self._wall = self._clock.now() + timedelta(minutes=minutes)
            self._steady = self._clock.monotonic() + minutes * 60
            return self._wall

    def lock(self) -> None:
        with self._guard:
            self._forget()

    def until(self) -> datetime | None:
        with self._guard:
            return self._wall if self._open() else None

    def sign(self, message: bytes, *, namespace: str = NAMESPACE) -> str:
        with self._guard:
            key = self._open()
            if key is None:
                raise KeyLocked(_LOCKED)
            return sshsig.sign(key, message, namespace=namespace)

    def _open(self) -> Ed25519PrivateKey | None:
        if self._wall is None or self._clock.now() >= self._wall or self._clock.monotonic() >= self._steady:
            self._forget()
        return self._key

    def _forget(self) -> None:
        self._key = self._wall = None


class OpenSigner:
    """An approval key without a passphrase: whoever runs as this user can sign, at any time."""

    def __init__(self, key: Path) -> None:
        self._path = key

    def unlock(self, passphrase: str | None, minutes: float) -> datetime:
        return ALWAYS

    def lock(self) -> None:
        raise VaultError("the approval key has no passphrase, so it cannot be locked")

    def until(self) -> datetime | None:
        return ALWAYS

    def sign(self, message: bytes, *, namespace: str = NAMESPACE) -> str:
        return sshsig.sign(keys.load(self._path), message, namespace=namespace)


class SshKeygenSigner:
    """A key on a FIDO token or in ssh-agent. Each signature asks for the token, so there is nothing to unlock."""

    def __init__(self, key: Path, public: PublicKey, seconds: float = TOUCH_SECONDS) -> None:
        """`key`: the handle of the token's key, or the public half of a key that the agent holds."""
        self._path, self._public, self._seconds = key, public, seconds

    def unlock(self, passphrase: str | None, minutes: float) -> datetime:
        return ALWAYS

    def lock(self) -> None:
        raise VaultError("the key on the token cannot be locked from here; take the token out")

    def until(self) -> datetime | None:
        return ALWAYS

    def sign(self, message: bytes, *, namespace: str = NAMESPACE) -> str:
        argv = ["ssh-keygen", "-Y", "sign", "-f", str(self._path), "-n", namespace]
        try:
            done = subprocess.run(
                argv, input=message, capture_output=True, timeout=self._seconds, check=False, env=ssh_environment()
            )
        except FileNotFoundError:
            raise VaultError("ssh-keygen is not installed; it signs with the FIDO key") from None
        except subprocess.TimeoutExpired:
            raise KeyLocked(f"the key was not touched for {self._seconds:.0f} seconds; approve again") from None
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise KeyLocked(f"ssh-keygen could not sign: {said[-1] if said else f'exit code {done.returncode}'}")
        armored = done.stdout.decode("ascii", "replace")
        try:
            sshsig.verify(self._public, message, armored, namespace=namespace)
        except sshsig.BadSignature as error:
            raise VaultError(f"ssh-keygen did not sign with the approval key: {error}") from None
        return armored


def signer(home: Home, settings: Settings, clock: Clock | None = None) -> Signer:
    """The signer these settings ask for, still locked."""
    clock = clock or SystemClock()
    match settings.key_protection:
        case "passphrase":
            return PassphraseSigner(home.approval_key, clock)
        case "keyring":
            return PassphraseSigner(home.approval_key, clock, lambda: recall(home.approval_public_key()))
        case "fido":
            handle = home.approval_key if home.approval_key.exists() else home.approval_key.with_suffix(".pub")
            return SshKeygenSigner(handle, home.approval_public_key())
        case "none":
            return OpenSigner(home.approval_key)


def remember(public: PublicKey, passphrase: str) -> None:
    """Keep the passphrase of this key in the OS keyring. Raises KeyringUnavailable."""
    os_keyring.keep(public.line(), passphrase)


def recall(public: PublicKey) -> str:
    """The passphrase of this key from the OS keyring. Raises KeyringUnavailable."""
    found = os_keyring.find(public.line())
    if found is None:
        raise KeyringUnavailable("the OS keyring has no passphrase for this approval key (another user's keyring?)")
    return found


def ssh_environment() -> dict[str, str]:
    """What ssh-keygen may know of our environment."""
    return {"LC_ALL": "C", **{name: os.environ[name] for name in _KEPT if name in os.environ}}
