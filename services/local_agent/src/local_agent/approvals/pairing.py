"""How a device comes in: a code that the owner gets with their approval key, good once and for a few minutes."""

from __future__ import annotations

import hmac
import secrets
import threading

from local_agent.approvals.throttle import Throttle
from vault_protocol import sshsig
from vault_protocol.canonical import canonical
from vault_protocol.clock import Clock
from vault_protocol.errors import VaultError
from vault_protocol.sshsig import PublicKey

NAMESPACE = "pair@countersign"
LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without those that are taken for others."""

LENGTH = 10
CODE_SECONDS = 300.0
CHALLENGE_SECONDS = 120.0
WRONG = 5
"""Wrong codes after which the right one is void, and after which nobody is listened to for ten minutes."""


class NotPaired(VaultError):
    """The code is not the one, or no longer."""


def statement(vault: str, executor: str, challenge: str) -> bytes:
    """What the owner signs to let a device in: `countersign pair v1`, LF, canonical JSON."""
    return b"countersign pair v1\n" + canonical({"vault": vault, "executor": executor, "challenge": challenge})


class Pairing:
    """One challenge and one code at a time. Safe for several threads."""

    def __init__(self, vault: str, executor: str, key: PublicKey, clock: Clock) -> None:
        self._vault, self._executor, self._key, self._clock = vault, executor, key, clock
        self._guard = threading.Lock()
        self._challenge = ("", 0.0)
        self._code = ("", 0.0)
        self._throttle = Throttle("pairing codes", clock, most=WRONG, seconds=600)

    def challenge(self) -> str:
        made = secrets.token_hex(16)
        with self._guard:
            self._challenge = (made, self._clock.monotonic() + CHALLENGE_SECONDS)
        return made

    def code(self, signature: str) -> str:
        """A new code, for whoever signed the challenge with the approval key. Raises VaultError."""
        with self._guard:
            challenge, ends = self._challenge
            self._challenge = ("", 0.0)
            if not challenge or self._clock.monotonic() >= ends:
                raise VaultError("the question to sign is too old; ask again")
            try:
                signed = statement(self._vault, self._executor, challenge)
                sshsig.verify(self._key, signed, signature, namespace=NAMESPACE)
            except sshsig.BadSignature as error:
                raise VaultError(f"only the approval key lets a device in: {error}") from None
            made = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
            self._code = (made, self._clock.monotonic() + CODE_SECONDS)
        return made

    def redeem(self, typed: str) -> None:
        """Use the code up. Raises NotPaired, or TooOften."""
        self._throttle.hold()
        given = "".join(typed.upper().split()).replace("-", "")
        with self._guard:
            code, ends = self._code
            if code and self._clock.monotonic() < ends and hmac.compare_digest(code.encode(), given.encode("utf-8")):
                self._code = ("", 0.0)
                return
        self._throttle.failed()
        raise NotPaired("this is not the code, or it was used, or its five minutes are over; `countersign page` again")


def grouped(code: str) -> str:
    """As people read it out."""
    return f"{code[:5]}-{code[5:]}"
