"""The world outside: a mail server that is the truth about what was sent, and an owner who knows what they signed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from local_agent.effects.execute import Outcome, Policy
from local_agent.effects.ledger import State
from tests.sim.cast import OWNER_KEY
from tests.sim.faults import Faults
from vault_protocol import sshsig
from vault_protocol.action import SendMail
from vault_protocol.approval import NAMESPACE, Approval, Approved
from vault_protocol.canonical import sha256

POLICY = Policy("none", "Sent", retries=True)


@dataclass(frozen=True)
class Arrival:
    """One mail that reached the outside server."""

    key: str
    task: str
    approval: str
    digest: str
    executor: str
    copy: bool
    """Whether Sent showed it from that moment."""


@dataclass
class Outside:
    """The connector of the simulation. Its answers get lost; what it accepted does not."""

    rng: Random
    faults: Callable[[], Faults]
    touched: Callable[[SendMail, Approval, str], str]
    """Told before anything happens out there; gives the digest of what would be sent."""
    name: str = "mail"
    policy: Policy = POLICY
    accepted: list[Arrival] = field(default_factory=list)
    sent: set[str] = field(default_factory=set)

    def perform(self, what: Approved[SendMail], *, key: str, at: datetime) -> Outcome:
        digest = self.touched(what.action, what.approval, key)
        faults, chance = self.faults(), self.rng.random
        if chance() < faults.refuse_now:
            return Outcome(State.NOT_DONE, "451 later")
        if chance() < faults.refuse_for_good:
            return Outcome(State.REFUSED, "550 no")
        if chance() < faults.lost_on_the_way:
            return Outcome(State.UNKNOWN, "the line went dead")
        approval = what.approval
        copy = chance() < faults.kept_in_sent
        self.accepted.append(Arrival(key, approval.task, approval.id, digest, approval.executor, copy))
        if copy:
            self.sent.add(key)
        if chance() < faults.answer_of_mail_lost:
            return Outcome(State.UNKNOWN, "the answer was lost")
        return Outcome(State.CONFIRMED, "250 ok")

    def probe(self, action: SendMail, *, key: str, at: datetime, tried: datetime) -> Outcome:
        if key in self.sent:
            return Outcome(State.CONFIRMED, "in Sent", seen=True)
        return Outcome(State.UNKNOWN, "not in Sent")

    def afterwards(self, action: SendMail, *, key: str, at: datetime) -> None:
        if self.rng.random() < self.faults().kept_in_sent:
            self.sent.add(key)

    def has(self, approval: str) -> bool:
        """What the owner sees when they look for themselves."""
        return any(arrival.approval == approval for arrival in self.accepted)


@dataclass
class Signer:
    """The owner's key, and what was really signed with it."""

    signed: set[str] = field(default_factory=set)
    """Approval ids."""
    shown: dict[str, str] = field(default_factory=dict)
    """Approval id → digest of the action that stood before the owner's eyes."""
    looking_at: str = ""

    def __call__(self, message: bytes) -> str:
        approval = sha256(message)
        self.signed.add(approval)
        self.shown[approval] = self.looking_at
        return sshsig.sign(OWNER_KEY, message, namespace=NAMESPACE)
