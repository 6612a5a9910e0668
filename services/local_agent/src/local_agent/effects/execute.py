"""`execute(action, approval)`: verify, mark started, act, write the outcome. The only way to an effect.

Every MCP server goes through here, so it holds whoever its client is: ours, a model's, or another program.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from local_agent.effects.ledger import AlreadyDone, DryRun, Effect, Ledger, LimitReached, Paused, Revoked, State
from local_agent.limits import Limit
from vault_protocol.action import Action
from vault_protocol.approval import Approval, Approved, SignedApproval, verify
from vault_protocol.canonical import moment, sha256
from vault_protocol.errors import ApprovalRefused, DiskTrouble, VaultError
from vault_protocol.sshsig import PublicKey

A = TypeVar("A", bound=Action)

RETRY = timedelta(minutes=1)
"""Before an effect that surely did not happen is tried again; it doubles with each try, up to an hour."""


@dataclass(frozen=True)
class Done:
    """It happened, once. `detail` is what the other side said."""

    effect: Effect
    key: str


@dataclass(frozen=True)
class Waiting:
    """Nothing happened and nothing was used up: come back, at `until` if that is known."""

    reason: str
    until: datetime | None = None
    paused: bool = False


@dataclass(frozen=True)
class Refusal:
    """It will not happen under this approval; `rule` names the check that said no."""

    rule: str
    reason: str


@dataclass(frozen=True)
class Unsure:
    """It may have happened, and looking did not tell. The owner decides; it is never repeated by itself."""

    effect: Effect
    reason: str


Answer = Done | Waiting | Refusal | Unsure


@dataclass(frozen=True)
class Outcome:
    """What a connector says of one try: the state it is in now, and the other side's words."""

    state: State
    detail: str
    seen: bool = False
    """Whether something with this key is there at all, be it other bytes."""
    pause: str = ""
    """Why nothing more should be tried until the owner has looked (a login that is refused)."""


@dataclass(frozen=True)
class Policy:
    """What a connector declares of its kind of effect; docs/protocol.md has the table."""

    dedupe: str
    """What keeps the other side from doing it twice."""
    probe: str
    """Where it is looked for when the answer was lost."""
    retries: bool
    """Whether what surely did not happen is tried again by itself, under the same approval."""


class Connector(Protocol[A]):
    """One kind of effect. `key` is the idempotency key, the same for every try of one effect."""

    name: str
    policy: Policy

    def perform(self, what: Approved[A], *, key: str, at: datetime) -> Outcome:
        """Do it once. CONFIRMED, NOT_DONE or REFUSED only when that is certain; else UNKNOWN."""
        ...

    def probe(self, action: A, *, key: str, at: datetime, tried: datetime) -> Outcome:
        """Look whether it happened: CONFIRMED, NOT_DONE when that is certain, else UNKNOWN.

        `at` is when the effect began, `tried` when its last try did: what was just asked for may still be under way.
        """
        ...

    def afterwards(self, action: A, *, key: str, at: datetime) -> None:
        """What follows a confirmed effect and may fail without harm (the copy in Sent)."""
        ...


@dataclass(frozen=True)
class Executor(Generic[A]):
    """One connector behind the approval check and the ledger. Nothing here is decided by the caller."""

    connector: Connector[A]
    ledger: Ledger
    vault: str
    id: str
    key: PublicKey
    secret: bytes
    now: Callable[[], datetime]
    limit: Callable[[], Limit]
    dry_run: Callable[[], bool]
    reached: Callable[[str], None] = lambda step: None
    """Told each step's name as it is passed: the tests stop the process there."""
    unwritten: dict[str, Outcome] = field(default_factory=dict)
    """Outcomes that the ledger's disk has not taken yet, by effect: known to this process, and to it alone."""

    def execute(self, action: A, signed: SignedApproval, *, earlier: Sequence[SignedApproval] = ()) -> Answer:
        """`earlier`: approvals of the same task given to other executors; their effects are looked for first."""
        try:
            approved = self._verified(action, signed)
        except ApprovalRefused as error:
            spent = self._already(action, signed)
            if spent is None and error.rule == "expired":
                self.ledger.revoke(signed.approval, now=self.now())  # a clock set back does not bring it to life
            return spent or Refusal(error.rule, error.reason)
        approval = approved.approval
        effect_id = self._effect_id(approval)
        found = self._predecessor(action, earlier)
        if found is not None:
            return found
        resting = self._resting(effect_id)
        if resting is not None:
            return resting
        try:
            effect, fresh = self.ledger.begin(
                effect_id,
                self.connector.name,
                approval,
                now=self.now(),
                limit=self.limit(),
                dry_run=self.dry_run(),
            )
        except Paused as error:
            return Waiting(str(error), paused=True)
        except DryRun as error:
            return Waiting(str(error))
        except LimitReached as error:
            return Waiting(str(error), error.until)
        except Revoked as error:
            return Refusal("taken back", str(error))
        except AlreadyDone as error:
            return Refusal("single effect", str(error))
        self.reached("started")
        return self._perform(approved, effect) if fresh else self._settled(action, effect)

    def message_key(self, effect_id: str) -> str:
        """The idempotency key: HMAC-SHA256 of the effect id under a secret that Cloud never sees, 32 hex digits."""
        return hmac.new(self.secret, effect_id.encode(), "sha256").hexdigest()[:32]

    def _verified(self, action: A, signed: SignedApproval) -> Approved[A]:
        approval = signed.approval
        return verify(
            signed, action, key=self.key, vault=self.vault, executor=self.id,
            task=approval.task, revision=approval.revision, now=self.now(),
        )  # fmt: skip

    def _effect_id(self, approval: Approval) -> str:
        return sha256("\0".join((self.connector.name, approval.id, approval.digest)).encode())

    def _perform(self, approved: Approved[A], effect: Effect) -> Answer:
        key = self.message_key(effect.id)
        try:
            outcome = self.connector.perform(approved, key=key, at=effect.started)
        except DiskTrouble:
            raise
        except VaultError as error:
            outcome = Outcome(State.UNKNOWN, str(error))
        self.reached("performed")
        if outcome.state is State.UNKNOWN:
            outcome = self._probe(approved.action, key, began=effect.started, tried=effect.tried)
        ended = self._written(effect, outcome)
        if outcome.pause:
            self.ledger.pause(outcome.pause)
        self.reached("outcome")
        return self._told(approved.action, ended)

    def _settled(self, action: A, effect: Effect) -> Answer:
        """An effect from an earlier life: `started` without an outcome is looked for, never repeated."""
        if effect.state in (State.STARTED, State.UNKNOWN):
            known = self.unwritten.get(effect.id)
            key = self.message_key(effect.id)
            known = known or self._probe(action, key, began=effect.started, tried=effect.tried)
            effect = self._written(effect, known)
        return self._told(action, effect)

    def _probe(self, action: A, key: str, *, began: datetime, tried: datetime) -> Outcome:
        """Where it cannot be looked, such as at an account that is gone from the settings, nobody knows."""
        try:
            return self.connector.probe(action, key=key, at=began, tried=tried)
        except DiskTrouble:
            raise
        except VaultError as error:
            return Outcome(State.UNKNOWN, f"it could not be looked for: {error}")

    def _written(self, effect: Effect, outcome: Outcome) -> Effect:
        """The outcome in the ledger; while its disk takes nothing, it is kept for the next time this is asked.

        Where nothing is tried again by itself, what surely did not happen ends the approval.
        """
        self.unwritten[effect.id] = outcome
        state, detail = outcome.state, outcome.detail
        if state is State.NOT_DONE and not self.connector.policy.retries:
            state, detail = State.REFUSED, f"it did not happen, and is never tried again by itself: {detail}"
        ended = self.ledger.end(effect.id, state, now=self.now(), detail=detail)
        del self.unwritten[effect.id]
        return ended

    def _told(self, action: A, effect: Effect) -> Answer:
        if effect.state is State.CONFIRMED:
            self.connector.afterwards(action, key=self.message_key(effect.id), at=effect.started)
            self.reached("copied")
            return Done(effect, self.message_key(effect.id))
        if effect.state is State.REFUSED:
            return Refusal("the other side", effect.detail)
        if effect.state is State.NOT_DONE:
            return Waiting(effect.detail, _next_try(effect))
        return Unsure(effect, effect.detail)

    def _already(self, action: A, signed: SignedApproval) -> Answer | None:
        """An approval that no longer holds may still have an effect behind it: that one is settled, not denied."""
        effect_id = self._effect_id(signed.approval)
        for effect in self.ledger.of_task(signed.approval.task):
            if effect.id == effect_id and effect.digest == action.digest and effect.state is not State.NOT_DONE:
                return self._settled(action, effect)
        return None

    def _predecessor(self, action: A, earlier: Sequence[SignedApproval]) -> Answer | None:
        """Look for what another executor may have done under the owner's earlier approvals of this action."""
        for signed in earlier:
            if signed.approval.executor == self.id or signed.approval.digest != action.digest:
                continue
            key = self.message_key(self._effect_id(signed.approval))
            began = moment(signed.approval.decided_at)
            outcome = self._probe(action, key, began=began, tried=self.now())
            if outcome.seen:
                return Refusal("earlier executor", f"another machine has already done this: {outcome.detail}")
        return None

    def _resting(self, effect_id: str) -> Waiting | None:
        """An effect that surely did not happen is tried again, but not at once."""
        effect = self.ledger.get(effect_id)
        if effect is None or effect.state is not State.NOT_DONE or self.now() >= _next_try(effect):
            return None
        return Waiting(effect.detail, _next_try(effect))


def _next_try(effect: Effect) -> datetime:
    rest: timedelta = min(RETRY * 2 ** min(effect.tries - 1, 10), timedelta(hours=1))
    return (effect.ended or effect.started) + rest
