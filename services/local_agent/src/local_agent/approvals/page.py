"""What every route of the page has: the vault as its own reader, the owner's key, the paired devices."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from hashlib import sha256

from local_agent.approvals.devices import Device, Devices
from local_agent.approvals.live import Live
from local_agent.approvals.pairing import Pairing
from local_agent.approvals.throttle import Throttle
from local_agent.assemble import Local, assemble
from local_agent.hold import hold_effects
from local_agent.home import Home, Settings
from local_agent.judge import Judge
from local_agent.signers import Signer, signer
from local_agent.step_up import step_up as stepped_up
from vault_protocol.approval import Sign
from vault_protocol.clock import Clock
from vault_protocol.errors import HubUnreachable, UntrustedHead, VaultError
from vault_protocol.keys import KeyLocked, WrongPassphrase

AWAY_SECONDS = 5.0
"""Of the clock that never goes back: for so long a hub that did not answer is not asked again."""
ONCE = 1.0
"""Minutes for which the key is open that signs one request only."""


@dataclass(frozen=True)
class Visit:
    """One request of a paired device."""

    device: Device
    csrf: str


@dataclass
class Page:
    """One owner's page. `judge` is the service's: what it found out, nobody has to find out again."""

    home: Home
    settings: Settings
    clock: Clock
    sign: Signer
    judge: Callable[[], Judge]
    poke: Callable[[], None]
    executor: str
    scheme: str = "http"
    live: Live = field(default_factory=Live)

    def __post_init__(self) -> None:
        self._guard = threading.Lock()
        self._local: Local | None = None
        self._trouble, self._away_until = "", 0.0
        self.devices = Devices(self.home.devices, self.clock, timedelta(days=self.settings.page_days))
        self.pairing = Pairing(self.settings.vault, self.executor, self.home.approval_public_key(), self.clock)
        self._passphrases = Throttle("passphrases", self.clock, most=5, seconds=300)

    @contextmanager
    def vault(self, *, refresh: bool = True) -> Iterator[tuple[Local, str]]:
        """Local of its own, at the hub's head or as last known, and what is wrong then; one request at a time. A hub
        that does not answer is left alone for a while: each request would wait as long for it, and all in a line."""
        with self._guard:
            if self._local is None:
                self._local = replace(assemble(self.home, self.clock), judge=self.judge())
            if refresh and self.clock.monotonic() >= self._away_until:
                self._trouble = self._refresh(self._local)
            if self._local.vault.journal.head is None:
                raise HubUnreachable("the vault is empty; run `countersign init`")
            yield self._local, self._trouble

    def _refresh(self, local: Local) -> str:
        """What is wrong; empty when all is well."""
        try:
            local.vault.refresh()
        except HubUnreachable as error:
            self._away_until = self.clock.monotonic() + AWAY_SECONDS
            return f"The hub does not answer; this is the vault as last known. {error}"
        except UntrustedHead as error:
            hold_effects(self.home, error)
            return f"DANGER: {error}. Work goes on from the last good commit."
        return ""

    def visit(self, door: str, cookie: str) -> Visit | None:
        """The paired device that asks, if it is one."""
        device = self.devices.known(door, cookie)
        return Visit(device, self._csrf(device)) if device else None

    def _csrf(self, device: Device) -> str:
        return hmac.new(self._csrf_key, device.token_sha256.encode("ascii"), sha256).hexdigest()

    @cached_property
    def _csrf_key(self) -> bytes:
        return hmac.new(self.home.secret_bytes(), b"page csrf", sha256).digest()

    def signing(self, passphrase: str, *, step_up: bool = False) -> Sign:
        """The approval key for this request: open already, or opened now as the settings say. `step_up`: although it
        is open, the owner is asked again. Raises KeyLocked, WrongPassphrase, TooOften, StepUpNeeded."""
        if step_up:
            with self._counted():
                return stepped_up(self.home, self.settings, passphrase or None, self.clock)
        if self.settings.key_protection != "passphrase":
            self.sign.unlock(None, self.settings.unlock_minutes or ONCE)
            return self.sign.sign
        if not passphrase:
            if self.sign.until() is None:
                raise KeyLocked("the approval key is locked; give its passphrase")
            return self.sign.sign
        if not self.settings.unlock_minutes:
            once = signer(self.home, self.settings, self.clock)
            self._open(once, passphrase, ONCE)
            return once.sign
        self._open(self.sign, passphrase, self.settings.unlock_minutes)
        return self.sign.sign

    def unlock(self, passphrase: str) -> None:
        """As `countersign unlock` does. Raises WrongPassphrase, TooOften, VaultError when the settings forbid it."""
        if not self.settings.unlock_minutes:
            raise VaultError("unlock_minutes is 0 in the settings: the key is opened for one approval at a time only")
        self._open(self.sign, passphrase, self.settings.unlock_minutes)
        self.poke()

    def _open(self, key: Signer, passphrase: str, minutes: float) -> None:
        with self._counted():
            key.unlock(passphrase or None, minutes)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Wrong passphrases are counted, and after some no more are heard for a while. Raises TooOften."""
        self._passphrases.hold()
        try:
            yield
        except WrongPassphrase:
            self._passphrases.failed()
            raise
