"""Planted protocol bugs. Each puts a wrong version in the place of a shipped function, for one test."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

from local_agent import dashboard, signals
from tests.sim.planted_effects import Patch
from vault_protocol import audit, moves, zones
from vault_protocol.changeset import BadChangeset, Changeset, Trail, parse
from vault_protocol.errors import ClaimLost, HubUnreachable, NoSuchTask, Refused, UntrustedHead
from vault_protocol.follow import Follower
from vault_protocol.hub import Accepted, Broken, Change, Commit, CommitId, Edits, MovedOn, Rejected
from vault_protocol.journal import Journal
from vault_protocol.scan import OwnSecrets
from vault_protocol.task import AgentId, Lease, Stage, Task
from vault_protocol.vault import NOTHING_ELSE, Also, Vault

Bug = Callable[[Patch], None]


# Publishing


def _publish_again(change: Callable[[Edits], Edits]) -> Callable[..., CommitId]:
    def publish(
        self: Journal,
        verb: str,
        subject: str,
        build: Callable[[CommitId | None], Edits],
        *,
        attempt: int = 0,
        exact: bool = False,
    ) -> CommitId:
        edits = build(self.head)
        while edits or self.head is None:
            commit = self._commit(verb, subject, self._changes(edits), edits, attempt)
            answer = self.hub.publish(commit, onto=self.head)
            if isinstance(answer, Broken):
                raise HubUnreachable(answer.reason)
            if isinstance(answer, Rejected):
                raise Refused(answer.rule, answer.path, answer.reason)
            self._follower.advance(answer.head)
            if isinstance(answer, Accepted):
                return commit
            edits = change(edits)
        return self.head

    return publish


def rebase_on_refusal(patch: Patch) -> None:
    patch.setattr(Journal, "publish", _publish_again(lambda edits: edits))


def merge_on_refusal(patch: Patch) -> None:
    """What the others took out stays out, what we wrote is added: both copies are there."""
    both = _publish_again(lambda edits: {path: new for path, new in edits.items() if new is not None})
    patch.setattr(Journal, "publish", both)


def _publish_once(believes: type[Any]) -> Callable[..., CommitId]:
    right = Journal.publish

    def publish(
        self: Journal,
        verb: str,
        subject: str,
        build: Callable[[CommitId | None], Edits],
        *,
        attempt: int = 0,
        exact: bool = False,
    ) -> CommitId:
        made: list[CommitId] = []
        hub = self.hub

        class Believing:
            def publish(self, commit: CommitId, *, onto: CommitId | None, exact: bool = False) -> Any:
                answer = hub.publish(commit, onto=onto, exact=exact)
                if isinstance(answer, believes):
                    made.append(commit)
                    raise _Believed
                return answer

        try:
            self.hub = Believing()  # type: ignore[assignment]
            return right(self, verb, subject, build, attempt=attempt, exact=exact)
        except _Believed:
            return made[0]
        finally:
            self.hub = hub

    return publish


class _Believed(Exception):
    pass


def moved_on_is_taken_for_accepted(patch: Patch) -> None:
    """As the exit code of a push that did nothing."""
    patch.setattr(Journal, "publish", _publish_once(MovedOn))


def no_answer_is_taken_for_accepted(patch: Patch) -> None:
    patch.setattr(Journal, "publish", _publish_once(Broken))


def own_secrets_are_not_held_back(patch: Patch) -> None:
    patch.setattr(OwnSecrets, "found_in", lambda self, content: False)


def the_audit_chain_begins_anew(patch: Patch) -> None:
    right = audit.append
    patch.setattr(audit, "append", lambda tail, records: right(None, records))


def a_mail_is_added_twice(patch: Patch) -> None:
    def add(self: Vault, task: Task, also: Also = NOTHING_ELSE) -> bool:
        self.journal.publish("add", task.id, lambda _head: self._edits(None, task, also))
        return True

    patch.setattr(Vault, "add", add)
    nobody_judges(patch)


# Claims and leases


def leases_end_by_the_wall_clock(patch: Patch) -> None:
    def ended(vault: Vault, lease: Lease) -> bool:
        return lease.until <= vault.journal.clock.now()

    patch.setattr(Vault, "reap", _reap(ended))


def leases_are_reaped_without_waiting(patch: Patch) -> None:
    patch.setattr(Vault, "reap", _reap(lambda vault, lease: True))


def _reap(ended: Callable[[Vault, Lease], bool]) -> Callable[[Vault], tuple[str, ...]]:
    def reap(self: Vault) -> tuple[str, ...]:
        freed = []
        for task in tuple(self.tasks(Stage.IN_PROGRESS)):
            if task.lease and task.lease.owner != self.journal.identity.agent and ended(self, task.lease):
                try:
                    self._move("reap", task, partial(self._expired, task))
                except (ClaimLost, NoSuchTask):
                    continue
                freed.append(task.id)
        return tuple(freed)

    return reap


def the_attempt_is_no_fence(patch: Patch) -> None:
    def held(task: Task, agent: AgentId, attempt: int) -> Lease:
        if task.lease is None or task.lease.owner != agent:
            raise ClaimLost(task.id, task.lease.owner if task.lease else None)
        return task.lease

    patch.setattr(moves, "_held", held)


def a_claim_does_not_raise_the_attempt(patch: Patch) -> None:
    def claim(task: Task, *, agent: AgentId, now: datetime, ttl: timedelta) -> Task:
        lease = Lease(owner=agent, attempt=task.attempt, until=now + ttl)
        return task.evolve(stage=Stage.IN_PROGRESS, lease=lease)

    patch.setattr(moves, "claim", claim)
    nobody_judges(patch)


# Revisions


def a_submission_does_not_raise_the_revision(patch: Patch) -> None:
    right = moves.submit
    patch.setattr(
        moves, "submit", lambda task, note, **how: right(task, note, **how).evolve(revision=task.revision or 1)
    )
    nobody_judges(patch)


def an_edit_changes_the_draft_in_place(patch: Patch) -> None:
    right = moves.edit
    patch.setattr(moves, "edit", lambda task, note: right(task, note).evolve(revision=task.revision))
    nobody_judges(patch)


def a_stale_revision_is_approved(patch: Patch) -> None:
    patch.setattr(Vault, "_decided", Vault._move)


def a_withdrawal_hits_another_revision(patch: Patch) -> None:
    def apply_signals(vault: Vault) -> int:
        journal = vault.journal
        for path, _ in tuple(journal.store.paths(journal.head, "Signals")) if journal.head else ():
            found = signals._WITHDRAW.fullmatch(path)
            task = vault.get(found[1]) if found and found[1] in journal.where else None
            if task is not None and task.stage is Stage.PENDING_APPROVAL:
                vault.send_back(task, remark="", also=Also(edits={path: None}))
            else:
                vault.write("clear", "signal", {path: None})
        return 0

    patch.setattr(signals, "apply_signals", apply_signals)


# Judging what was fetched


def nobody_judges(patch: Patch) -> None:
    """Zones are judged neither before a publish nor after a fetch."""
    patch.setattr(zones, "judge", lambda writer, changes, **reads: None)


def changesets_are_not_verified(patch: Patch) -> None:
    patch.setattr(Changeset, "verify", lambda self, key: None)


def a_gap_in_the_sequence_is_not_noticed(patch: Patch) -> None:
    def judge(self: Follower, commit: Commit, changes: tuple[Change, ...]) -> tuple[AgentId, Trail]:
        assert self._trust is not None
        parent, store = self.view.head, self._store
        try:
            found = parse(commit.message, vault=self._vault, changes=changes)
            role, key = self._trust.keys[found.agent]
            found.verify(key)
            zones.judge(
                zones.Writer(found.agent, role), changes,
                before=lambda path: store.read(parent, path) if parent else None,
                after=lambda path: store.read(commit.id, path),
                where=MappingProxyType(self.view.where),
                names=lambda folder: store.names(parent, folder) if parent else (),
            )  # fmt: skip
        except (BadChangeset, Refused) as error:
            raise UntrustedHead(commit.id, str(error)) from None
        return found.agent, found.trail

    patch.setattr(Follower, "_judge", judge)


# The dashboard


def the_dashboard_shows_the_time(patch: Patch) -> None:
    right = dashboard.of_vault
    patch.setattr(dashboard, "of_vault", lambda vault: right(vault) + f"\nAs of {vault.journal.clock.now()}\n")


def the_dashboard_is_of_the_head_before(patch: Patch) -> None:
    """Rendered once, published on whatever head is next."""

    def write(vault: Vault) -> None:
        shown = dashboard.of_vault(vault).encode()
        vault.write("dashboard", "late", {"Dashboard.md": shown})

    patch.setattr(dashboard, "write", write)
