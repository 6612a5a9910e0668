"""More than an unlocked key: for a payment the owner says who they are again, for this decision alone.

Every way to decide comes here: a command, the page. What it gives is a `Sign` that says how the owner was asked, and
`decisions.Desk` takes no other for what needs one.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import timedelta

from local_agent.home import Home, Settings
from local_agent.signers import SshKeygenSigner
from vault_protocol import keys, sshsig
from vault_protocol.approval import NAMESPACE, Sign, StepUp
from vault_protocol.clock import Clock, SystemClock
from vault_protocol.errors import VaultError
from vault_protocol.keys import KeyLocked

FRESH = timedelta(minutes=2)
"""How long after being asked the owner's word holds: long enough to publish what they just read."""


class StepUpNeeded(VaultError):
    """This decision needs the owner's passphrase again, or a touch of their FIDO key."""


@dataclass
class SteppedUp:
    """Signs for a short while after the owner was asked. `how` goes into what is signed."""

    how: StepUp
    sign: Sign = field(repr=False)
    clock: Clock = field(default_factory=SystemClock)

    def __post_init__(self) -> None:
        self._guard = threading.Lock()
        self._ends = self.clock.monotonic() + FRESH.total_seconds()

    def __call__(self, message: bytes) -> str:
        """Raises StepUpNeeded when it was asked for too long ago."""
        with self._guard:
            if self.clock.monotonic() >= self._ends:
                raise StepUpNeeded("you were asked too long ago; approve again")
        return self.sign(message)


def step_up(home: Home, settings: Settings, passphrase: str | None, clock: Clock | None = None) -> SteppedUp:
    """After the owner typed this passphrase just now; a FIDO key has none, and asks for a touch at each signature.

    Raises WrongPassphrase, KeyLocked without the passphrase it needs, StepUpNeeded for a key that cannot do it.
    """
    clock, public = clock or SystemClock(), home.approval_public_key()
    if settings.key_protection == "fido":
        if public.application is None:
            raise StepUpNeeded(
                "the approval key lies in an agent, which asks nobody; payments need a FIDO key or a passphrase"
            )
        handle = home.approval_key if home.approval_key.exists() else home.approval_key.with_suffix(".pub")
        return SteppedUp("fido", SshKeygenSigner(handle, public).sign, clock)
    if settings.key_protection == "none" or not keys.is_locked(home.approval_key):
        raise StepUpNeeded("the approval key has no passphrase; payments need one (docs/runbook.md)")
    if not passphrase:
        raise KeyLocked("a payment needs the passphrase of the approval key, typed now")
    key = keys.load(home.approval_key, passphrase)
    return SteppedUp("passphrase", lambda message: sshsig.sign(key, message, namespace=NAMESPACE), clock)
