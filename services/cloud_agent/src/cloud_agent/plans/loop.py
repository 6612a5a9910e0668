"""The loop: one claim, one iteration, one commit that holds what was tried, what came of it, and the task it led to.

A kill before that commit leaves everything as it was; after it, the plan says that the step is done. The task of a step
has an id that follows from plan and step, so that nothing is drafted twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from books.books import Reading as ReadingBooks
from cloud_agent import submission
from cloud_agent.desk import Desk
from cloud_agent.keeping import RawMail
from cloud_agent.plans import drafts, looking, proposing
from cloud_agent.plans import plan as plans
from cloud_agent.plans.course import Next, Stands, Turn, heard, next_of, settled
from cloud_agent.plans.looking import Fruitless
from cloud_agent.plans.objectives import NoneListed, NoSteps, wished
from cloud_agent.plans.plan import At, Plan
from cloud_agent.plans.steps import DRAFTS, Kind
from cloud_agent.reading import Accounts, read
from drafting import Kind as MailKind
from drafting import Priority, Triage
from drafting import handbook as handbooks
from drafting.posts import Writer
from vault_protocol import layout, notes
from vault_protocol.audit import Record
from vault_protocol.canonical import Json
from vault_protocol.clock import Clock
from vault_protocol.errors import MalformedNote, NoSuchTask
from vault_protocol.hub import Edits
from vault_protocol.task import TASK_ID, AgentId, Stage, Task, TaskId
from vault_protocol.updates import Update
from vault_protocol.vault import Also, Vault

log = structlog.get_logger()

STEPS = ("plan read", "step tried", "iteration published")
"""What the loop's `step` is told, in order: a test ends the agent's life there."""
_WAITS = "approval of "
_ENDED = (Stage.DONE, Stage.REJECTED, Stage.QUARANTINE)
TRIAGE = Triage(MailKind.NEEDS_OWNER, Priority.NORMAL, "a plan of yours", "plan")


def ready(task: Task, where: Mapping[TaskId, str]) -> bool:
    """Whether there is something to do: a plan that waits is left alone until one of the tasks it waits for ended."""
    waits = task.note.front.words("waiting_for")
    if not waits.startswith(_WAITS):
        return True
    places = (layout.place_of(where.get(TaskId(id_), "")) for id_ in re.findall(TASK_ID, waits))
    return any(place is None or place.stage in _ENDED for place in places)


@dataclass(frozen=True)
class Came:
    """What one try of a step came to: how the step stands now, in words for the owner, and the task to be added."""

    words: str
    changes: Mapping[str, object] = field(default_factory=dict)
    child: Task | None = None
    question: str = ""


class Loop:
    """Works one plan by one iteration. It reads, and raises tasks that draft; it has nothing that acts."""

    def __init__(
        self, desk: Desk, *, agent: AgentId, accounts: Accounts, raw: RawMail, clock: Clock,
        books: ReadingBooks | None = None, step: Callable[[str], None] = lambda name: None,
        writer: Writer | None = None,
    ) -> None:  # fmt: skip
        self._desk, self._agent, self._accounts, self._raw, self._clock = desk, agent, accounts, raw, clock
        self._books, self._step, self._writer = books, step, writer

    def work(self, task: Task, handbook: str) -> None:
        """Raises what the vault raises, and BooksUnreachable and DrafterUnavailable with the task still held and
        nothing written."""
        now = self._clock.now()
        try:
            plan = self._plan(task, handbook, now)
        except (NoSteps, MalformedNote) as error:
            with self._desk.vault() as vault:
                self._ask(vault, task, None, str(error))
            return
        with self._desk.vault() as vault:
            stands = _standing(vault)
        plan = settled(heard(plan, task.revision, task.note.front.words("remark"), now), stands, now)
        self._step("plan read")
        then = next_of(plan, stands, handbooks.read(handbook).plan_iterations)
        if then.turn is Turn.TRY:
            self._try(task, plan, then.step, now)
        else:
            self._rest(task, plan, then, now)
        self._step("iteration published")

    def _plan(self, task: Task, handbook: str, now: datetime) -> Plan:
        """As its note has it; begun from the owner's when there is none. Raises NoSteps, MalformedNote, and what the
        writer raises that is asked for steps where the owner listed none."""
        where, source = plans.path_of(task.id), task.note.front.words("plan_from")
        with self._desk.vault() as vault:
            content = vault.journal.read(where)
            if content is not None:
                return plans.read(content, where)
            try:
                wish = wished(vault, task)
            except NoneListed as error:
                without = error
            else:
                return plans.begun(wish.objective, source, wish.steps, now)
        proposed = proposing.steps(self._writer, without, handbook)
        plan = plans.begun(without.objective, source, proposed.steps, now)
        return plan.told(now, "your note", f"{proposed.by} proposed the steps", "your word", counts=False)

    def _try(self, task: Task, plan: Plan, number: int, now: datetime) -> None:
        step = plan.steps[number - 1]
        try:
            came = self._came(task, plan, number, now)
        except Fruitless as error:
            why = str(error)
            came = Came(f"failed: {why}", {"failures": step.failures + 1, "facts": (why,)})
        self._step("step tried")
        plan = plan.with_step(number, **came.changes)
        then = "your answer" if came.question else plan.named(plan.next) if plan.next else "the end"
        plan = plan.told(now, plan.named(number), came.words, then, counts=True)
        with self._desk.vault() as vault:
            edits = self._edits(vault, task, plan)
            if came.child is not None and came.child.id not in vault.journal.where:
                path, content = notes.write(came.child)
                edits = {**edits, path: content}
            if came.question:
                self._ask(vault, task, plan.model_copy(update={"asking": number}), came.question)
                return
            facts: dict[str, Json] = {"iteration": plan.iterations, "step": number}
            if came.child is not None:
                facts["raised"] = came.child.id
            vault.release(task, also=Also([self._record("plan.iterated", task, **facts)], (), edits))
        log.info("plan.iterated", task=task.id, iteration=plan.iterations, step=number)

    def _came(self, task: Task, plan: Plan, number: int, now: datetime) -> Came:
        """Try one step. Raises Fruitless, BooksUnreachable."""
        step = plan.steps[number - 1]
        if step.kind is Kind.READ:
            with self._desk.vault() as vault:
                mail = looking.find_mail(vault, step.words, now)
            found = looking.facts_of(read(mail, accounts=self._accounts, raw=self._raw))
            return Came(f"read the mail of task {mail.id}", {"at": At.DONE, "found": mail.id, "facts": found})
        if step.kind is Kind.BOOKS:
            if self._books is None:
                raise Fruitless("no books are set up on this machine")
            found = looking.owed(self._books, step.words, now)
            return Came("looked up in the books", {"at": At.DONE, "facts": found})
        if step.kind is Kind.WAIT:
            return Came("nothing is waited for any more", {"at": At.DONE})
        if step.kind is Kind.ASK:
            again = "your remark was no `yes`; " if step.agrees and step.facts else ""
            return Came("asked you", {"at": At.ASKED}, question=again + step.words)
        if step.kind in DRAFTS:
            return self._raised(task, plan, number, now)
        raise Fruitless("no plan has such a step")

    def _raised(self, task: Task, plan: Plan, number: int, now: datetime) -> Came:
        step, mail = plan.steps[number - 1], None
        if step.kind is Kind.REPLY:
            named = plan.steps[int(step.of) - 1].found if step.of.isdigit() else step.of
            if not named:
                raise Fruitless(f"step {step.of} read no mail")
            with self._desk.vault() as vault:
                mail = looking.find_mail(vault, named, now)
        child = drafts.task_for(task.id, number, step, mail=mail, now=now)
        return Came(f"task {child.id} drafts it", {"at": At.DRAFTED, "task": child.id}, child=child)

    def _rest(self, task: Task, plan: Plan, then: Next, now: datetime) -> None:
        """Nothing is tried: the plan waits, is the owner's, or is over."""
        with self._desk.vault() as vault:
            if then.turn is Turn.ASK:
                plan = plan.model_copy(update={"asking": then.step})
                self._ask(vault, task, plan.told(now, "to go on", then.why, "your word", counts=False), then.why)
            elif then.turn is Turn.WAIT:
                waits = _WAITS + ", ".join(then.tasks)
                if not plan.course or plan.course[-1].came != waits:
                    plan = plan.told(now, "to go on", waits, "your decision", counts=False)
                vault.release(task, waiting_for=waits, also=Also((), (), self._edits(vault, task, plan)))
            elif plan.stopped:
                left = f"; yours to decide still: {', '.join(then.tasks)}" if then.tasks else ""
                self._ask(vault, task, plan, f"you stopped this plan: end it{left}")
            elif task.revision:
                plan = plan.told(now, "to end", "every step is done", "you end it", counts=False)
                self._ask(vault, task, plan, "every step of this plan is done: end it")
            else:
                plan = plan.told(now, "to end", "every step is done", "nothing", counts=False)
                record = self._record("plan.ended", task, iterations=plan.iterations)
                update = Update.of("closed", now, task=task.id, because="plan-done")
                edits = self._edits(vault, task, plan, ended=True)
                vault.close(task, submission.closed(task, TRIAGE), Also([record], [update], edits))

    def _ask(self, vault: Vault, task: Task, plan: Plan | None, why: str) -> None:
        now, revision = self._clock.now(), task.revision + 1
        note = proposing.shown(submission.with_question(task, TRIAGE, why, now=now).put(remark=None), plan)
        record = self._record("question.submitted", task, revision=revision, kind=TRIAGE.kind.value)
        update = Update.of(
            "asked", now, task=task.id, kind=TRIAGE.kind.value, revision=revision, priority=TRIAGE.priority.value
        )
        edits = self._edits(vault, task, plan) if plan else {}
        vault.submit(task, note, Also([record], [update], edits))
        log.info("task.asked", task=task.id, revision=revision)

    def _edits(self, vault: Vault, task: Task, plan: Plan, *, ended: bool = False) -> Edits:
        where = plans.path_of(task.id)
        return {where: plans.write(plan, task, self._clock.now(), before=vault.journal.read(where), ended=ended)}

    def _record(self, action_type: str, task: Task, **parameters: Json) -> Record:
        return Record.of(action_type, actor=self._agent, target=task.id, at=self._clock.now(), parameters=parameters)


def _standing(vault: Vault) -> Callable[[str], Stands]:
    """Where tasks stand at this head; only those that ended are read."""

    def stands(task: str) -> Stands:
        path = vault.journal.where.get(TaskId(task))
        place = layout.place_of(path) if path else None
        if place is None or place.stage is not Stage.DONE:
            return Stands(place.stage if place else None)
        try:
            return Stands(place.stage, bool(vault.get(task).note.front.words("result")))
        except (NoSuchTask, MalformedNote):
            return Stands(place.stage)

    return stands
