"""The work on one claimed task: read and judge it, then draft an answer, ask the owner, or close it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

import structlog

from books.books import Books
from books.errors import BooksError
from cloud_agent import planner, reminders, submission
from cloud_agent.bookkeeping.clerk import Clerk
from cloud_agent.bookkeeping.ledger_desk import Unclear
from cloud_agent.bookkeeping.overdue import KIND, Overdue
from cloud_agent.context.knowing import Knowing
from cloud_agent.course import Course, course
from cloud_agent.desk import Desk
from cloud_agent.keeping import RawMail
from cloud_agent.planner import Step
from cloud_agent.plans.drafts import answers_to
from cloud_agent.plans.work import PlanWork
from cloud_agent.posts.work import PostWork
from cloud_agent.reading import Accounts, Reading, read
from cloud_agent.scheduling import digest
from cloud_agent.scheduling.schedule import Duty
from cloud_agent.scheduling.scheduler import KIND as SCHEDULED
from cloud_agent.threads import Threads
from correspondence import NoReplyAddress
from drafting import Drafter, DrafterRefused, Kind, Priority, Triage
from drafting.posts import Writer
from drafting.ruled import NotToDraft
from vault_protocol import layout, scan
from vault_protocol.audit import Record
from vault_protocol.canonical import Json
from vault_protocol.clock import Clock
from vault_protocol.errors import MalformedNote, NoSuchTask
from vault_protocol.hub import Edits
from vault_protocol.note import Note
from vault_protocol.task import AgentId, Stage, Task, TaskId
from vault_protocol.updates import Update
from vault_protocol.vault import Also, Vault

log = structlog.get_logger()

BETWEEN_LOOKS = 900.0
"""Seconds between two looks for answers that did not come."""

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
        clerk: Clerk | None = None,
        overdue: Overdue | None = None,
        secret: bytes = b"",
        books: Books | None = None,
        writer: Writer | None = None,
    ) -> None:
        """`writer` words posts and proposes steps of plans; None: the owner does. `step` is told "judged", "drafted",
        "submitted" as each is passed; `clerk` does what is for the books, `overdue` finds what customers should be
        reminded of, `books` say what a sender owes."""
        self._desk, self._drafter, self._agent = desk, drafter, agent
        self._accounts, self._raw, self._clock, self._lease = accounts, raw, clock, lease
        self._step, self._clerk, self._overdue = step, clerk, overdue
        self._secret, self._threads, self._awaited = secret, Threads(), reminders.Awaited(secret)
        self._knowing = Knowing(desk, self._threads, clock, books, accounts.own_addresses)
        self._looked: float | None = None
        self._plans = PlanWork(
            desk, agent=agent, accounts=accounts, raw=raw, clock=clock, clerk=clerk, step=step,
            draft=self._draft, ask=self._ask, submit=self._submit, later=self._later, writer=writer,
        )  # fmt: skip
        self._posts = PostWork(
            desk,
            drafter,
            writer=writer,
            owner=accounts.owner_name,
            clock=clock,
            ask=self._ask,
            close=self._close,
            submit=self._submit,
        )

    def do(self, held: Held) -> None:
        """Hand the task on. Raises DrafterUnavailable with the task still held, and what the vault raises."""
        if self._plans.takes(held) or self._posts.takes(held):
            return
        if reminders.is_one(held.task):
            self._remind_of_mail(held)
            return
        if self._overdue is not None and held.task.note.front.words("type") == KIND:
            self._remind(held, self._overdue)
            return
        if held.task.note.front.words("type") == SCHEDULED and not held.task.revision:
            self._by_the_clock(held)
            return
        reading = read(held.task, accounts=self._accounts, raw=self._raw)
        try:
            held.triage = self._judge(held, reading)
            self._step("judged")
            if self._overtaken(held, reading):
                return
            if self._for_the_books(held, reading):
                return
            way = course(reading, held.triage, domain=held.task.domain, revision=held.task.revision)
            if way is Course.CLOSE:
                self._close(held, reading)
            elif way is Course.DRAFT:
                self._draft(held, reading)
            else:
                self._ask(held, reading.obstacle or held.triage.reason)
        except NotToDraft as error:
            self._ask(held, error.reason)
        except DrafterRefused:
            self._ask(held, "the drafter gave nothing usable")

    def remind(self, vault: Vault) -> None:
        """Look for answers that do not come."""
        now = self._clock.monotonic()
        if self._looked is None or now - self._looked >= BETWEEN_LOOKS:
            self._looked = now
            self._threads.look(vault, self._clock.now())
            handbook = (vault.journal.read(layout.HANDBOOK) or b"").decode("utf-8", "replace")
            rules = partial(self._accounts.rules, handbook)
            for task in tuple(self._awaited.due(vault, self._threads, rules, self._clock.now())):
                record = self._record("reminder.due", task, reminds=task.note.front.words("reminds"))
                vault.add(task, Also([record], [self._update("reminder", task)]))

    def _overtaken(self, held: Held, reading: Reading) -> bool:
        """Ask Local for the drafts that this mail overtakes; and whether this task's own mail was overtaken, so that
        what was drafted for it does not hold any more. The owner's wish goes before."""
        task, now = held.task, self._clock.now()
        with self._desk.vault() as vault:
            self._threads.look(vault, now)
            for mail in () if task.revision else self._threads.earlier(task.id):
                self._withdraw(vault, mail.task)
        newer = self._threads.later(task.id)
        if not newer or not task.revision or reading.remark:
            return False
        self._ask(held, f"a newer mail came in this thread, task {newer[-1].task}: answer that one instead")
        return True

    def _later(self, mail: TaskId) -> TaskId | None:
        """The task of the newest mail that came after this one's in its thread."""
        with self._desk.vault() as vault:
            self._threads.look(vault, self._clock.now())
        newer = self._threads.later(mail)
        return newer[-1].task if newer else None

    def _withdraw(self, vault: Vault, overtaken: TaskId) -> None:
        """Its draft, a reminder's and those of plans, as long as they wait."""
        for id_ in (overtaken, reminders.id_of(self._secret, overtaken), *answers_to(vault, overtaken)):
            with suppress(NoSuchTask, MalformedNote):
                task = vault.get(id_)
                if task.stage is Stage.PENDING_APPROVAL and task.has_action:
                    vault.withdraw(task.id, task.revision)
                    log.info("draft.overtaken", task=task.id, revision=task.revision)

    def _remind_of_mail(self, held: Held) -> None:
        """Draft it, unless the answer came meanwhile or the mail cannot be answered by a machine."""
        task = held.task
        held.triage = Triage(Kind.REPLY_WANTED, Priority.NORMAL, "no answer came to what was sent", "rules")
        reading = read(task, accounts=self._accounts, raw=self._raw)
        with self._desk.vault() as vault:
            self._threads.look(vault, self._clock.now())
        answered = bool(self._threads.later(TaskId(task.note.front.words("reminds"))))
        if reading.silence or (answered and not reading.remark):
            if task.revision:
                self._ask(held, "the answer came: no reminder is needed")
            else:
                self._close(held, reading)
        elif reading.original is None or reading.obstacle:
            self._ask(held, reading.obstacle or "the original message is not on this machine")
        else:
            wished = reading if reading.remark else replace(reading, remark=reminders.wish(task))
            try:
                self._draft(held, wished)
            except NotToDraft as error:
                self._ask(held, error.reason)
            except DrafterRefused:
                self._ask(held, "the drafter gave nothing usable")

    def rounds(self) -> None:
        """What is looked for once a day, without a task. Books that are away are looked at again with the next task."""
        if self._overdue is None:
            return
        try:
            found = tuple(self._overdue.found())
        except BooksError as error:
            log.warning("books.unavailable", error=type(error).__name__)
            return
        for task in found:
            record = self._record("invoice.overdue", task, record=task.note.front.number("record"))
            with self._desk.vault() as vault:
                vault.add(task, Also([record], [self._update("overdue", task)]))

    def _remind(self, held: Held, overdue: Overdue) -> None:
        held.triage = Triage(Kind.NEEDS_OWNER, Priority.NORMAL, "an invoice is overdue", "rules")
        self._keep(held)
        try:
            note = overdue.asking(held.task)
        except Unclear as error:
            self._ask(held, str(error))
            return
        if note is not None:
            self._submit(held, note, "draft")
        elif held.task.revision:
            self._ask(held, "the invoice is not open any more")
        else:
            record = self._record("task.closed", held.task, because="paid")
            with self._desk.vault() as vault:
                note = submission.closed(held.task, held.triage)
                vault.close(held.task, note, Also([record], [self._update("closed", held.task, because="paid")]))

    def _by_the_clock(self, held: Held) -> None:
        """A digest is written and the task is over; everything else is put before the owner, who ends it."""
        task, now = held.task, self._clock.now()
        held.triage = Triage(Kind.NEEDS_OWNER, Priority.NORMAL, "it is time for this", "schedule")
        if task.note.front.words("task") != Duty.DIGEST:
            self._ask(held, "it is time for this")
            return
        self._keep(held)
        due = task.note.front.words("due")
        with self._desk.vault() as vault:
            edits = {digest.path_of(due): digest.note_of(vault, due, now)}
            also = Also([self._record("digest.written", task)], [self._update("digest", task)], edits)
            vault.close(task, submission.closed(task, held.triage), also)

    def _for_the_books(self, held: Held, reading: Reading) -> bool:
        """Whether the clerk took it: a request to post was put up, or the owner is asked for what is missing."""
        if self._clerk is None:
            return False
        self._keep(held)
        raw = self._raw.find(held.task.note.front.words("sha256"))
        try:
            asking = self._clerk.work(held.task, reading, held.triage, raw, held.handbook)
        except Unclear as error:
            self._ask(held, str(error))
            return True
        if asking is None:
            return False
        self._step("drafted")
        self._submit(held, asking.note, "draft", digest=asking.action.digest, record=asking.action.record)
        return True

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
        triage = self._knowing.taught(self._drafter.triage(reading.letter, handbook=held.handbook), reading)
        triage = replace(triage, reason=scan.mask(triage.reason)[0])
        log.info("task.judged", task=held.task.id, kind=triage.kind.value, priority=triage.priority.value)
        return triage

    def _draft(self, held: Held, reading: Reading) -> None:
        reading = self._knowing.before(held.task, reading, held.handbook)
        assert reading.original is not None
        assert reading.mailbox is not None
        held.steps = planner.wanted(reading.letter, held.triage.kind)
        self._keep(held)
        draft = self._drafter.draft(
            reading.letter, handbook=held.handbook, remark=reading.remark, previous=reading.previous
        )
        draft = self._knowing.with_warnings(draft, reading, held.handbook)
        try:
            action, cautions = submission.action_of(
                draft, reading.original, mailbox=reading.mailbox, accounts=self._accounts
            )
            warnings = (*submission.standing_warnings(held.task), *cautions)
            note = submission.with_draft(
                held.task, action, held.triage, draft, warnings,
                token=secrets.token_hex(8), now=self._clock.now(),
            )  # fmt: skip
            note = self._knowing.with_known(note, reading)
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
