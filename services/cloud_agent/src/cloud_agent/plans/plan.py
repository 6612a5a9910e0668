"""A plan as it stands between two iterations, and its note. What the note does not say is not known."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cloud_agent.plans.steps import DRAFTS, LONGEST, Kind, Step
from vault_protocol import plain
from vault_protocol.canonical import utc
from vault_protocol.errors import MalformedNote
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note
from vault_protocol.task import Domain, Task

MOST_LINES = 200
"""Lines of the course that are kept, the last ones."""
_STATE = re.compile(r"\n## State\n\n(`{3,})json\n(.*)\n\1\n", re.DOTALL)


class At(StrEnum):
    """Where a step is."""

    OPEN = "open"
    DRAFTED = "drafted"
    """Its task has not ended."""
    ASKED = "asked"
    """The owner's next remark is its answer."""
    DONE = "done"
    SKIPPED = "skipped"
    REFUSED = "refused"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PlanStep(_Strict):
    """One step with what became of it. `found` is the task of the mail that it read, `task` the one that it drafts in.
    `facts` are typed words of ours about what was read; no sentence of anybody."""

    kind: Annotated[Kind, Field(strict=False)] | None
    words: str
    of: str = ""
    network: str = ""
    at: Annotated[At, Field(strict=False)] = At.OPEN
    failures: int = 0
    again: int = 0
    """How often the owner wished another draft after one had ended without them wanting it."""
    found: str = ""
    task: str = ""
    facts: Annotated[tuple[str, ...], Field(strict=False)] = ()
    agrees: bool = False
    """Whether nothing but the owner's yes answers it."""

    @classmethod
    def of_wish(cls, step: Step) -> PlanStep:
        at = At.REFUSED if step.refused else At.OPEN
        facts = (step.refused,) if step.refused else ()
        return cls(
            kind=step.kind, words=step.words, of=step.of, network=step.network, at=at, facts=facts, agrees=step.agrees
        )  # fmt: skip

    @property
    def line(self) -> str:
        """As it would stand in a list of the owner's, whole."""
        about = f"step {self.of}" if self.of.isdigit() else self.of
        words = "" if self.kind is Kind.WAIT and about else self.words
        return ": ".join(part for part in (self.kind, about, self.network, words) if part)


class Line(_Strict):
    """One line of the course; `iteration` is 0 for what the owner or the program did besides."""

    iteration: int
    when: str
    tried: str
    came: str
    then: str


class Plan(_Strict):
    """`used` are the iterations since the owner spoke last, `answered` the revision of the task that they answered."""

    objective: str
    source: str
    steps: Annotated[tuple[PlanStep, ...], Field(strict=False)]
    course: Annotated[tuple[Line, ...], Field(strict=False)] = ()
    iterations: int = 0
    used: int = 0
    answered: int = 0
    asking: int = 0
    """The step that the owner was asked about last."""
    stopped: bool = False
    """By the owner: no step is tried any more."""

    def with_step(self, number: int, **changes: object) -> Plan:
        """With step `number`, from 1, changed."""
        steps = [
            one.model_copy(update=changes) if at == number else one for at, one in enumerate(self.steps, 1)
        ]  # fmt: skip
        return self.model_copy(update={"steps": tuple(steps)})

    def told(self, when: datetime, tried: str, came: str, then: str, *, counts: bool) -> Plan:
        """With one more line; one that `counts` is an iteration."""
        number = self.iterations + counts
        line = Line(
            iteration=number if counts else 0, when=utc(when), tried=_short(tried), came=_short(came), then=_short(then)
        )
        return self.model_copy(
            update={
                "course": (*self.course, line)[-MOST_LINES:],
                "iterations": number,
                "used": self.used + counts,
            }
        )

    @property
    def next(self) -> int | None:
        """The number of the first step that is open; None when there is none. One without the yes that it wants stays
        open, however it got there."""
        unsaid = (one.at is At.OPEN or (one.agrees and one.at is not At.DONE) for one in self.steps)
        return next((number for number, is_open in enumerate(unsaid, 1) if is_open), None)

    def named(self, number: int) -> str:
        one = self.steps[number - 1]
        kind = one.kind.value if one.kind else "no step"
        return f"step {number} ({kind})"

    def awaited(self, number: int | None = None) -> tuple[int, ...]:
        """The steps whose tasks are to end first: for the wait that is step `number`, or for the plan's end."""
        wait = self.steps[number - 1] if number else None
        if wait is not None and wait.of:
            wanted: Sequence[int] = (int(wait.of),)
        else:
            wanted = range(1, number or len(self.steps) + 1)
        return tuple(one for one in wanted if self.steps[one - 1].at is At.DRAFTED)


def path_of(task: str) -> str:
    """Of the plan of the task with this id."""
    return f"Plans/{Domain.FILES.value}/plan-{task}.md"


def begun(objective: str, source: str, steps: Sequence[Step], now: datetime) -> Plan:
    """Nothing tried yet; what is left out is said."""
    plan = Plan(objective=objective, source=source, steps=tuple(map(PlanStep.of_wish, steps)))
    for number, one in enumerate(plan.steps, 1):
        if one.at is At.REFUSED:
            plan = plan.told(now, plan.named(number), one.facts[0], "left out", counts=False)
    return plan


_STATUS: Mapping[bool, str] = {True: "done", False: "open"}
_TICK = {At.DONE: "x", At.SKIPPED: "-", At.REFUSED: "-"}


def write(plan: Plan, task: Task, now: datetime, *, before: bytes | None, ended: bool = False) -> bytes:
    """The note of a plan; what the owner added to the front matter of the one `before` stays."""
    front, created = FrontMatter(), utc(now)
    if before is not None:
        front = Note.parse(before).front
        created = front.words("created") or created
    front = front.put(
        type="plan", task=task.id, objective=plan.objective, created=created, status=_STATUS[ended],
        iterations=plan.iterations, source=plain.one_line(plan.source, 400),
        approvals_needed=sorted({one.kind.value for one in plan.steps if one.kind in DRAFTS}) or None,
    )  # fmt: skip
    steps = "".join(
        f"- [{_TICK.get(one.at, ' ')}] {number}. {_step_shown(one)}\n" for number, one in enumerate(plan.steps, 1)
    )
    course = "".join(map(_line_shown, plan.course)) or "nothing was tried yet\n"
    facts = "".join(
        f"step {number}: {fact}\n" for number, one in enumerate(plan.steps, 1) for fact in one.facts
    )  # fmt: skip
    body = f"\n# {plain.one_line(plan.objective)}\n\n{steps}\n## Course\n\n{plain.fenced(plain.visible(course))}"
    body += f"\n## Facts\n\n{plain.fenced(plain.visible(facts))}" if facts else ""
    state = plan.model_dump_json(indent=1)
    return Note(front, f"{body}\n## State\n\n{plain.fenced(state, 'json')}").content()


def read(content: bytes, where: str) -> Plan:
    """Raises MalformedNote for what is not the note of a plan of ours, whoever changed it."""
    note = Note.parse(content, where)
    found = _STATE.fullmatch(note.body[at:]) if (at := note.body.rfind("\n## State\n")) >= 0 else None
    if found is None:
        raise MalformedNote(where, "its State is missing")
    try:
        plan = Plan.model_validate_json(found[2])
    except ValidationError as error:
        first = error.errors()[0]
        raise MalformedNote(where, f"its State does not hold: {'.'.join(map(str, first['loc']))}") from None
    for number, one in enumerate(plan.steps, 1):
        if one.kind is None and one.at is not At.REFUSED:
            raise MalformedNote(where, f"step {number} is none that a plan can have")
        if one.of.isdigit() and not 1 <= int(one.of) < number:
            raise MalformedNote(where, f"step {number} is about no step before it")
    return plan


def _step_shown(one: PlanStep) -> str:
    task = f" (task {one.task})" if one.task else ""
    return plain.one_line(one.line, 3 * LONGEST) + task


def _line_shown(line: Line) -> str:
    number = f"iteration {line.iteration}" if line.iteration else "besides"
    return f"{line.when}  {number}\n    tried  {line.tried}\n    came   {line.came}\n    next   {line.then}\n"


def _short(words: str) -> str:
    return plain.one_line(words, 300)
