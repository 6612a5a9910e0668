"""The work on one claimed task: read and judge it, then draft an answer, ask the owner, or close it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import structlog

from cloud_agent import planner, submission
from cloud_agent.course import Course, course
from cloud_agent.desk import Desk
from cloud_agent.drafting import Drafter, DrafterRefused, Kind, Priority, Triage
from cloud_agent.keeping import RawMail
from cloud_agent.planner import Step
from cloud_agent.reading import Accounts, Reading, read
from correspondence import NoReplyAddress
from vault_protocol import scan
from vault_protocol.audit import Record
from vault_protocol.canonical import Json
from vault_protocol.clock import Clock
from vault_protocol.errors import MalformedNote
from vault_protocol.hub import Edits
from vault_protocol.note import Note
from vault_protocol.task import AgentId, Task
from vault_protocol.updates import Update
from vault_protocol.vault import Also, Vault

log = structlog.get_logger()

NOT_JUDGED = Triage(Kind.NEEDS_OWNER, Priority.NORMAL, "it could not be judged", "rules")


@dataclass
class Held:
    """A claimed task on its way; `since` is when its lease began, on the monotonic clock."""

    task: Task
    since: float
    handbook: str
    triage: Triage = NOT_JUDGED
    steps: tuple[Step, ...] = ()
    done: list[Step] = field(default_factory=lambda: [Step.READ])


class Work:
    """What a drafter decides here is text and closed words; addresses come from the original."""

    def __init__(
        self,
        desk: Desk,
        drafter: Drafter,
        *,
        agent: AgentId,
        accounts: Accounts,
        raw: RawMail,
        clock: Clock,
        lease: timedelta,
        step: Callable[[str], None] = lambda name: None,
    ) -> None:
        """`step` is told "judged", "drafted", "submitted" as each is passed."""
        self._desk, self._drafter, self._agent = desk, drafter, agent
        self._accounts, self._raw, self._clock, self._lease = accounts, raw, clock, lease
        self._step = step

    def do(self, held: Held) -> None:
        """Hand the task on. Raises DrafterUnavailable with the task still held, and what the vault raises."""
        reading = read(held.task, accounts=self._accounts, raw=self._raw)
        try:
            held.triage = self._judge(held, reading)
            self._step("judged")
            way = course(reading, held.triage, domain=held.task.domain, revision=held.task.revision)
            if way is Course.CLOSE:
                self._close(held, reading)
            elif way is Course.DRAFT:
                self._draft(held, reading)
            else:
                self._ask(held, reading.obstacle or held.triage.reason)
        except DrafterRefused:
            self._ask(held, "the drafter gave nothing usable")

    def give_back(self, held: Held, *, waiting_for: str, tell: bool) -> None:
        """Put the task back to wait; its plan shows how far it came. `tell`: say so on the dashboard."""
        updates = [self._update("waiting", held.task, reason=waiting_for)] if tell else []
        with self._desk.vault() as vault:
            vault.release(held.task, waiting_for=waiting_for, also=Also((), updates, self._plan(held, vault)))

    def set_aside(self, held: Held, *, cause: str, failures: int) -> None:
        """Into Quarantine, with the name of what went wrong."""
        task = held.task
        record = self._record("task.quarantined", task, reason="failed", error=cause, failures=failures)
        also = Also([record], [self._update("quarantined", task, reason="failed")])
        with self._desk.vault() as vault:
            vault.quarantine(task, reason=f"failed {failures} times: {cause}", also=also)

    def _judge(self, held: Held, reading: Reading) -> Triage:
        if reading.original is None and reading.obstacle:
            return Triage(Kind.NEEDS_OWNER, Priority.NORMAL, reading.obstacle, "rules")
        triage = self._drafter.triage(reading.letter, handbook=held.handbook)
        triage = replace(triage, reason=scan.mask(triage.reason)[0])
        log.info("task.judged", task=held.task.id, kind=triage.kind.value, priority=triage.priority.value)
        return triage

    def _draft(self, held: Held, reading: Reading) -> None:
        assert reading.original is not None
        assert reading.mailbox is not None
        held.steps = planner.wanted(reading.letter, held.triage.kind)
        self._keep(held)
        draft = self._drafter.draft(
            reading.letter, handbook=held.handbook, remark=reading.remark, previous=reading.previous
        )
        try:
            action, cautions = submission.action_of(
                draft, reading.original, mailbox=reading.mailbox, accounts=self._accounts
            )
            warnings = (*submission.standing_warnings(held.task), *cautions)
            note = submission.with_draft(
                held.task, action, held.triage, draft, warnings,
                token=secrets.token_hex(8), now=self._clock.now(),
            )  # fmt: skip
        except NoReplyAddress:
            self._ask(held, "the mail gives no address to answer to")
            return
        except submission.Unanswerable as error:
            self._ask(held, str(error))
            return
        held.done.append(Step.DRAFT)
        self._step("drafted")
        self._submit(held, note, "draft", digest=action.digest, warnings=note.front.number("warnings"))

    def _ask(self, held: Held, reason: str) -> None:
        held.steps = ()
        note = submission.with_question(held.task, held.triage, reason, now=self._clock.now())
        self._submit(held, note, "question")

    def _submit(self, held: Held, note: Note, what: str, **facts: Json) -> None:
        self._keep(held)
        task, kind, priority = held.task, held.triage.kind.value, held.triage.priority.value
        revision, event = task.revision + 1, "drafted" if what == "draft" else "asked"
        record = self._record(f"{what}.submitted", task, revision=revision, kind=kind, **facts)
        update = self._update(event, task, kind=kind, revision=revision, priority=priority)
        with self._desk.vault() as vault:
            vault.submit(task, note, Also([record], [update], self._plan(held, vault)))
        self._step("submitted")
        log.info(f"task.{event}", task=task.id, kind=kind, revision=revision)

    def _close(self, held: Held, reading: Reading) -> None:
        self._keep(held)
        task, kind = held.task, held.triage.kind.value
        why = {"because": reading.silence.value} if reading.silence else {}
        record = self._record("task.closed", task, kind=kind, **why)
        note = submission.closed(task, held.triage)
        with self._desk.vault() as vault:
            vault.close(task, note, Also([record], [self._update("closed", task, kind=kind, **why)]))
        log.info("task.closed", task=task.id, kind=kind, **why)

    def _keep(self, held: Held) -> None:
        """Renew the lease once a third of it has passed."""
        now = self._clock.monotonic()
        if now - held.since > self._lease.total_seconds() / 3:
            with self._desk.vault() as vault:
                held.task, held.since = vault.renew(held.task), now

    def _plan(self, held: Held, vault: Vault) -> Edits:
        if not held.steps:
            return {}
        where = planner.path(held.task)
        plan = vault.journal.read(where)
        if plan is None:
            plan = planner.write(held.task, held.triage.kind, held.steps, now=self._clock.now())
        try:
            return {where: planner.tick(plan, *held.done)}
        except MalformedNote:
            return {}

    def _record(self, action_type: str, task: Task, **parameters: Json) -> Record:
        return Record.of(action_type, actor=self._agent, target=task.id, at=self._clock.now(), parameters=parameters)

    def _update(self, event: str, task: Task, **facts: str | int) -> Update:
        return Update.of(event, self._clock.now(), task=task.id, **facts)
