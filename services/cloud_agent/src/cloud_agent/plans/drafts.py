"""The steps that draft: each becomes a task of its own, which ends before the owner like any other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from cloud_agent.bookkeeping.clerk import Clerk
from cloud_agent.handing_on import Undraftable
from cloud_agent.plans.plan import PlanStep, path_of, read
from cloud_agent.plans.steps import DRAFTS, Kind
from cloud_agent.posts import making
from cloud_agent.reading import Reading
from drafting import Triage
from vault_protocol import plain
from vault_protocol.canonical import utc
from vault_protocol.errors import MalformedNote
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note
from vault_protocol.task import Domain, Stage, Task, TaskId, task_id
from vault_protocol.vault import Vault

KIND = "plan-step"
OF_THE_MAIL = (
    "from", "subject", "received", "account", "mailbox", "message_id", "sha256", "repeated_message_id",
    "secrets_removed",
)  # fmt: skip
_DOMAINS = {Kind.REPLY: Domain.EMAIL, Kind.INVOICE: Domain.ACCOUNTING, Kind.POST: Domain.SOCIAL}


def is_step(task: Task) -> bool:
    """Whether it drafts for a plan; its type is another once it was drafted."""
    return bool(task.note.front.words("plan"))


def step_of(vault: Vault, task: Task) -> PlanStep:
    """The step that this task is, as the plan has it: nothing that stands in the task's note is an order.
    Raises Undraftable."""
    plan, number = task.note.front.words("plan"), task.note.front.get("step")
    where = path_of(plan)
    try:
        found = read(vault.journal.read(where) or b"", where)
    except MalformedNote as error:
        raise Undraftable(f"its plan cannot be read: {error.reason}") from None
    if found.stopped and not task.note.front.words("remark"):
        raise Undraftable("you stopped its plan: end this too")
    for at, step in enumerate(found.steps, 1):
        if at == number and step.kind in DRAFTS and id_of(TaskId(plan), at, step) == task.id:
            return step
    raise Undraftable("its plan has no such step any more")


def id_of(plan: TaskId, number: int, step: PlanStep) -> TaskId:
    """One for each step, whatever happens between; another one only when the owner wished another draft."""
    wish = f"{step.kind}\0{step.of}\0{step.network}\0{step.words}\0{step.again}"
    return task_id(plan.encode(), mailbox="plan", message_id=str(number), content_sha256=wish)


def task_for(plan: TaskId, number: int, step: PlanStep, *, mail: Task | None, now: datetime) -> Task:
    """The task of a step that drafts. `mail` is the task of the mail that a reply answers."""
    assert step.kind is not None
    front = FrontMatter().put(type=KIND, plan=plan, step=number, does=step.kind.value, priority="normal")
    if mail is not None:
        front = front.put(answers=mail.id, **{key: mail.note.front.get(key) for key in OF_THE_MAIL})
    else:
        subject = f"{step.kind.value}: {step.words}"
        front = front.put(subject=plain.one_line(subject, 80), received=utc(now))
    original = ""
    if mail is not None:
        _, found, rest = f"\n{mail.note.body}".partition("\n## Original\n")
        original = f"\n## Original\n{rest}" if found else ""
    body = f"\n# Step {number} of plan {plan}\n\n## Wish\n\n{plain.fenced(plain.visible(step.words))}{original}"
    return Task(
        id=id_of(plan, number, step), stage=Stage.NEEDS_ACTION, domain=_DOMAINS[step.kind],
        slug=plain.slug(front.words("subject")), note=Note(front, body),
    )  # fmt: skip


def answers_to(vault: Vault, mail: TaskId) -> tuple[TaskId, ...]:
    """The tasks of plans that wait for approval with an answer to the mail of this task."""
    waiting = vault.tasks(Stage.PENDING_APPROVAL)
    return tuple(task.id for task in waiting if is_step(task) and task.note.front.words("answers") == mail)


def to_answer(step: PlanStep, reading: Reading) -> Reading:
    """The mail with the plan's wish, unless the owner said since what they want. Raises Undraftable."""
    if reading.original is None or reading.obstacle:
        raise Undraftable(reading.obstacle or "the original message is not on this machine")
    if reading.silence is not None and not reading.remark:
        raise Undraftable("the mail is one that is answered by nobody; a remark has it drafted all the same")
    return reading if reading.remark else replace(reading, remark=step.words)


@dataclass(frozen=True)
class Asked:
    """A note that asks for the owner's approval of one action."""

    note: Note
    digest: str


def invoice(task: Task, step: PlanStep, clerk: Clerk | None, handbook: str) -> Asked:
    """Raises Undraftable, Unclear, and BooksUnreachable."""
    if clerk is None:
        raise Undraftable("no books are set up on this machine")
    wish = f"{task.note.front.words('remark')}\n{step.words}".replace(";", "\n").strip()
    asking = clerk.wished(task, wish, handbook)
    return Asked(asking.note, asking.action.digest)


def post(task: Task, step: PlanStep, triage: Triage, now: datetime) -> Asked:
    """The owner's words, as they are, for the network that they named. Raises Undraftable."""
    if task.note.front.words("remark"):
        raise Undraftable("the words of this post are yours: change them in the note of its plan, or write it by hand")
    place, told = making.place_of(step.network, step.network), list[str]()
    if place is None:
        raise Undraftable(f"{plain.one_line(step.network, 40)!r} is no network")
    action = making.post(place, step.words, told)
    return Asked(making.asking(task.note, action, told, triage, by="the plan's words", now=now), action.digest)
