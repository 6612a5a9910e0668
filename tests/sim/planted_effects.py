"""Planted bugs of approvals and of the effects they allow; `planted` names them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from local_agent.effects import execute
from local_agent.effects.execute import Answer, Done
from local_agent.effects.ledger import Effect, Ledger, State
from local_agent.executor import Executor
from local_agent.limits import MANY
from vault_protocol import approval, request, sshsig
from vault_protocol.action import ActionBase
from vault_protocol.approval import Approval, Approved, SignedApproval
from vault_protocol.canonical import moment, sha256
from vault_protocol.errors import ApprovalRefused
from vault_protocol.task import Task
from vault_protocol.vault import NOTHING_ELSE, Also, Vault

Patch = pytest.MonkeyPatch


# Approvals


def _verify_with(change: Callable[[Approval], dict[str, Any]]) -> Callable[..., Approved[Any]]:
    right = approval.verify

    def verify(signed: SignedApproval, action: Any, **given: Any) -> Approved[Any]:
        for name, value in change(signed.approval).items():
            given[name] = value(given[name]) if callable(value) else value
        return right(signed, action, **given)

    return verify


def the_executor_is_ignored(patch: Patch) -> None:
    patch.setattr(execute, "verify", _verify_with(lambda a: {"executor": a.executor}))


def the_expiry_is_ignored(patch: Patch) -> None:
    last = timedelta(seconds=1)
    patch.setattr(execute, "verify", _verify_with(lambda a: {"now": lambda now: min(now, moment(a.expires) - last)}))


def not_before_is_ignored(patch: Patch) -> None:
    def begins(a: Approval) -> datetime:
        return max(moment(a.not_before), moment(a.decided_at))

    patch.setattr(execute, "verify", _verify_with(lambda a: {"now": lambda now: max(now, begins(a))}))


def the_owners_signature_is_not_verified(patch: Patch) -> None:
    patch.setattr(sshsig, "verify", lambda *args, **how: None)


def the_digest_is_not_compared(patch: Patch) -> None:
    right = approval.verify

    def verify(signed: SignedApproval, action: Any, **given: Any) -> Approved[Any]:
        try:
            return right(signed, action, **given)
        except ApprovalRefused as error:
            if error.rule != "digest":
                raise
            return Approved(action, signed.approval, approval._SEAL)

    patch.setattr(execute, "verify", verify)


def the_hash_is_taken_before_normalising(patch: Patch) -> None:
    """Over the words, so that texts that differ in white space share it."""
    patch.setattr(ActionBase, "digest", property(lambda self: sha256(b" ".join(self.canonical().split()))))


def an_undo_spends_nothing(patch: Patch) -> None:
    def revoke(self: Ledger, approval: Approval, *, now: datetime) -> bool:
        found = self._find("approval = ?", approval.id)
        return found is None or found.state in (State.NOT_DONE, State.REFUSED)

    patch.setattr(Ledger, "revoke", revoke)


# Effects


def _begin_again(*states: State) -> Callable[..., tuple[Effect, bool]]:
    right = Ledger.begin

    def begin(self: Ledger, effect_id: str, *args: Any, **how: Any) -> tuple[Effect, bool]:
        found = self.get(effect_id)
        if found is not None and found.state in states:
            return found, True
        return right(self, effect_id, *args, **how)

    return begin


def an_approval_is_used_twice(patch: Patch) -> None:
    patch.setattr(Ledger, "begin", _begin_again(State.CONFIRMED))


def an_unknown_outcome_is_sent_again(patch: Patch) -> None:
    patch.setattr(Ledger, "begin", _begin_again(State.UNKNOWN))


def a_restart_sends_again(patch: Patch) -> None:
    patch.setattr(Ledger, "begin", _begin_again(State.STARTED))


def a_task_gets_two_effects(patch: Patch) -> None:
    right = Ledger._rows

    def rows(self: Ledger, where: str, *values: object) -> Iterator[Effect]:
        return iter(()) if where.startswith("task = ? AND") else right(self, where, *values)

    patch.setattr(Ledger, "_rows", rows)
    an_undo_spends_nothing(patch)


def a_lost_answer_is_taken_for_a_failure(patch: Patch) -> None:
    def perform(self: execute.Executor[Any], approved: Approved[Any], effect: Effect) -> Answer:
        outcome = self.connector.perform(approved, key=self.message_key(effect.id), at=effect.started)
        state = State.NOT_DONE if outcome.state is State.UNKNOWN else outcome.state
        return self._told(approved.action, self.ledger.end(effect.id, state, now=self.now()))

    patch.setattr(execute.Executor, "_perform", perform)


def the_outcome_is_written_before_the_effect(patch: Patch) -> None:
    def perform(self: execute.Executor[Any], approved: Approved[Any], effect: Effect) -> Answer:
        ended = self.ledger.end(effect.id, State.CONFIRMED, now=self.now())
        self.connector.perform(approved, key=self.message_key(effect.id), at=effect.started)
        return self._told(approved.action, ended)

    patch.setattr(execute.Executor, "_perform", perform)


def the_effect_comes_before_its_mark(patch: Patch) -> None:
    right = Ledger.begin

    def executed(
        self: execute.Executor[Any], action: Any, signed: SignedApproval, *, earlier: Sequence[SignedApproval] = ()
    ) -> Answer:
        approved = self._verified(action, signed)
        effect_id, now = self._effect_id(signed.approval), self.now()
        outcome = self.connector.perform(approved, key=self.message_key(effect_id), at=now)
        right(self.ledger, effect_id, "mail", signed.approval, now=now, limit=MANY, dry_run=False)
        return self._told(action, self.ledger.end(effect_id, outcome.state, now=now))

    patch.setattr(execute.Executor, "execute", executed)


def the_effect_comes_before_approved_is_published(patch: Patch) -> None:
    right = Vault.approve

    def approve(self: Vault, task: Task, signed: SignedApproval, note: Any = None, also: Also = NOTHING_ELSE) -> Task:
        found = request.read(note or task.note)
        world: Any = getattr(self.journal, "world")  # noqa: B009 - only the simulation's journal has one
        world.tick(timedelta(seconds=15))
        world.local.server.act(found, signed, [])
        return right(self, task, signed, note, also)

    patch.setattr(Vault, "approve", approve)


def the_receipt_comes_before_the_outcome(patch: Patch) -> None:
    right = Ledger.end

    def end(self: Ledger, effect_id: str, state: State, *, now: datetime, detail: str = "") -> Effect:
        found = self.get(effect_id)
        if found is None or state is not State.CONFIRMED:
            return right(self, effect_id, state, now=now, detail=detail)
        return replace(found, state=state, ended=now)

    patch.setattr(Ledger, "end", end)


def what_nobody_knows_is_called_done(patch: Patch) -> None:
    right = execute.Executor._told

    def told(self: execute.Executor[Any], action: Any, effect: Effect) -> Answer:
        if effect.state is State.UNKNOWN:
            return Done(effect, self.message_key(effect.id))
        return right(self, action, effect)

    patch.setattr(execute.Executor, "_told", told)


def the_pause_is_ignored(patch: Patch) -> None:
    patch.setattr(Ledger, "_switch", lambda self, name: None)


def the_predecessor_is_not_looked_for(patch: Patch) -> None:
    patch.setattr(execute.Executor, "_predecessor", lambda self, action, earlier: None)


def an_effect_that_waits_is_forgotten(patch: Patch) -> None:
    right = Executor._wait

    def wait(self: Executor, task: Task, reason: str, until: datetime, **how: Any) -> None:
        right(self, task, reason, until + timedelta(days=30), **how)

    patch.setattr(Executor, "_wait", wait)
