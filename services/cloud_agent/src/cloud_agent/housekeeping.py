"""What is put in order before a task is claimed: leftovers, expired leases, unreadable notes, plans, troubles."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import structlog

from cloud_agent import house_rules, unread_notes
from cloud_agent.health import Health
from cloud_agent.keeping import MessageIds, RawMail
from cloud_agent.planner import Planner
from cloud_agent.plans.objectives import Objectives
from cloud_agent.posts.overtaken import Overtaken
from cloud_agent.posts.proposing import Goals
from cloud_agent.posts.raising import Calendar
from cloud_agent.scheduling.scheduler import Scheduler
from cloud_agent.spending import Spending
from vault_protocol import plain, updates
from vault_protocol.audit import Record
from vault_protocol.clock import Clock
from vault_protocol.errors import ClaimLost, MalformedNote, Refused
from vault_protocol.layout import place_of
from vault_protocol.parts import Parts
from vault_protocol.task import AgentId, Stage
from vault_protocol.updates import Update
from vault_protocol.vault import Also, Vault

log = structlog.get_logger()

KEEP_RAW = timedelta(days=30)
"""How long raw mail is kept at least, and longer while its task has not ended."""
KEEP_IDS = timedelta(days=400)
"""How long it is noticed that a Message-ID comes back with other content."""
BETWEEN_PRUNES = 6 * 3600.0
"""Seconds between two looks at what was kept."""
NOT_ENDED = tuple(stage for stage in Stage if stage not in (Stage.DONE, Stage.REJECTED))
HEARTBEAT = timedelta(minutes=10)


class Housekeeping:
    """Runs while the worker holds nothing."""

    def __init__(
        self, *, agent: AgentId, clock: Clock, health: Health, raw: RawMail, heartbeat: timedelta = HEARTBEAT,
        keep_raw: timedelta = KEEP_RAW, raw_bytes: int | None = None, ids: MessageIds | None = None,
        spending: Spending | None = None,
    ) -> None:  # fmt: skip
        self._agent, self._clock, self._health, self._heartbeat = agent, clock, health, heartbeat
        self._raw, self._keep_raw, self._raw_bytes, self._ids = raw, keep_raw, raw_bytes, ids
        self._spending = spending
        self._planner, self._scheduler, self._objectives = Planner(), Scheduler(agent, clock), Objectives(agent, clock)
        self._calendar, self._overtaken, self._goals = Calendar(agent, clock), Overtaken(), Goals(agent, clock)
        self._stuck: set[str] = set()
        self._pruned: float | None = None
        self._told_credentials = False
        self._parts = Parts(lambda error: log.error("tidy.refused", reason=plain.one_line(str(error), 300)))
        self._acts: tuple[Callable[[Vault], object], ...] = (
            self.let_go, self._reap, self._set_aside_malformed, self._plan, self._tell_of_mailboxes,
            self._tell_of_credentials, partial(house_rules.report, agent=agent, clock=clock), self._scheduler.round,
            self._calendar.round, self._goals.round, self._overtaken.round,
            *((spending.tell,) if spending is not None else ()), self._objectives.round, self._unread, self._say_alive,
            self._prune,
        )  # fmt: skip

    def tidy(self, vault: Vault) -> None:
        """What a rule refuses is left out and told in the log: it keeps neither the rest nor the mail waiting."""
        for act in self._acts:
            self._parts.attempt(partial(act, vault))

    def _reap(self, vault: Vault) -> None:
        for task in vault.reap():
            log.warning("task.reaped", task=task)

    def _plan(self, vault: Vault) -> None:
        plans = self._planner.behind(vault)
        if plans:
            vault.write("plan", f"{len(plans)} plans", plans)

    def _unread(self, vault: Vault) -> None:
        unread_notes.report(vault, self._agent, self._clock, self._goals, self._objectives)

    def let_go(self, vault: Vault) -> None:
        """Give back what an earlier life of this agent, or a lost answer, left in its hands."""
        for task in vault.mine():
            try:
                vault.release(task)
            except ClaimLost:
                continue
            log.info("task.released", task=task.id)

    def _set_aside_malformed(self, vault: Vault) -> None:
        for error in tuple(vault.malformed(Stage.NEEDS_ACTION, Stage.IN_PROGRESS)):
            place = place_of(error.path)
            if place is None or place.owner not in (None, self._agent) or error.path in self._stuck:
                continue
            try:
                vault.quarantine_note(error.path, self._because(error, place.id))
            except Refused:
                self._stuck.add(error.path)
                log.error("note.stuck", task=place.id)
            else:
                log.error("note.quarantined", task=place.id)

    def _prune(self, vault: Vault) -> None:
        """Raw mail of tasks that have ended is kept for a while, as the owner may send one back; then it goes."""
        now = self._clock.monotonic()
        if self._pruned is not None and now - self._pruned < BETWEEN_PRUNES:
            return
        self._pruned = now
        gone = self._raw.prune(self._clock.now() - self._keep_raw, lambda: _originals(vault), self._raw_bytes)
        if gone:
            log.info("raw.pruned", count=gone)
        if self._ids is not None and (forgotten := self._ids.prune(self._clock.now() - KEEP_IDS)):
            log.info("message_ids.pruned", count=forgotten)

    def _because(self, error: MalformedNote, task: str) -> Also:
        now, reason = self._clock.now(), plain.one_line(error.reason, 160)
        record = Record.of("note.quarantined", actor=self._agent, target=task, at=now, parameters={"reason": reason})
        return Also([record], [Update.of("quarantined", now, task=task, reason="malformed")])

    def _say_alive(self, vault: Vault) -> None:
        """One line in a file of its own, when the vault has heard nothing for long: it replaces the last, so that the
        vault grows by a commit, at most one in each interval whatever happens, and pushes no other line out."""
        now, journal = self._clock.now(), vault.journal
        words = (updates.last_word(journal.read(path)) for path in updates.both_paths(self._agent))
        if not any(word is not None and abs(now - word) < self._heartbeat for word in words):
            vault.write("alive", self._agent, {updates.alive_path(self._agent): updates.alive(now)})

    def _tell_of_mailboxes(self, vault: Vault) -> None:
        changed = self._health.unreported()
        if not changed:
            return
        now = self._clock.now()
        updates = [
            Update.of("mailbox-trouble", now, mailbox=name, trouble=trouble.value)
            if trouble
            else Update.of("mailbox-healthy", now, mailbox=name)
            for name, trouble in changed.items()
        ]
        vault.write("update", "mailboxes", {}, Also(updates=updates))
        self._health.reported(changed)

    def _tell_of_credentials(self, vault: Vault) -> None:
        """What opens each mailbox, in a file of its own, for the owner's `status`; written when it is news."""
        if self._told_credentials:
            return
        path, now = updates.mailboxes_path(self._agent), self._clock.now()
        held = {name: box.credential.value for name, box in self._health.mailboxes.items()}
        if updates.credentials(vault.journal.read(path)) != held:
            vault.write("mailboxes", self._agent, {path: updates.told_credentials(held, now)})
        self._told_credentials = True


def _originals(vault: Vault) -> frozenset[str]:
    """The hashes of the mails that tasks which have not ended are about."""
    return frozenset(task.note.front.words("sha256") for task in vault.tasks(*NOT_ENDED))
