"""Plan notes: the steps of a task that has several, ticked as they are done. Nothing from outside stands in one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from enum import StrEnum

from drafting import Kind, Letter
from drafting.questions import questions
from vault_protocol import notes
from vault_protocol.canonical import utc
from vault_protocol.errors import MalformedNote
from vault_protocol.front_matter import FrontMatter
from vault_protocol.hub import Edits
from vault_protocol.note import Note
from vault_protocol.task import Stage, Task, TaskId
from vault_protocol.vault import Vault

_PATH = re.compile(r"Plans/[a-z]+/plan-([a-z2-7]{16})\.md")
_ASKS_FOR_A_FILE = re.compile(
    r"\b(?:send|attach|forward|provide|schick\w*|send\w*|envoye[rz]|env[ií]\w+)\b.{0,60}"
    r"\b(?:copy|document|file|pdf|contract|offer|quote|invoice|receipt|kopie|vertrag|angebot|rechnung|facture|factura)",
    re.IGNORECASE,
)


class Step(StrEnum):
    """One line of a plan."""

    READ = "Read and judge the mail"
    DRAFT = "Draft the answer"
    CHECK_BILL = "The owner checks payee, amount and due date"
    FILL_IN = "The owner decides what the draft leaves open"
    ATTACH = "The owner decides about the file that is asked for"
    APPROVE = "The owner approves the answer"
    SENT = "The answer is sent"


def path(task: Task) -> str:
    return f"Plans/{task.domain.value}/plan-{task.id}.md"


def wanted(letter: Letter, kind: Kind) -> tuple[Step, ...]:
    """The steps of a task that needs a plan; none when one answer is all there is to it."""
    own = [Step.CHECK_BILL] if kind is Kind.INVOICE else []
    asked = len(questions(letter))
    file = bool(_ASKS_FOR_A_FILE.search(letter.text[:8_000]))
    if kind is Kind.REPLY_WANTED and asked + file > 1:
        own += [Step.FILL_IN] + [Step.ATTACH] * file
    return (Step.READ, Step.DRAFT, *own, Step.APPROVE, Step.SENT) if own else ()


def write(task: Task, kind: Kind, steps: tuple[Step, ...], *, now: datetime) -> bytes:
    """A new plan with nothing ticked."""
    bill = kind is Kind.INVOICE
    objective = "Answer an invoice and have it checked" if bill else "Answer a mail that asks for several things"
    front = FrontMatter().put(
        type="plan", task=task.id, objective=objective, created=utc(now), status="open", approvals_needed=["send_mail"]
    )
    lines = "".join(f"- [ ] {step.value}\n" for step in steps)
    return Note(front, f"\n# Plan for {task.id}\n\n{lines}\nApprovals needed: sending the answer.\n").content()


def tick(content: bytes, *steps: Step, status: str | None = None) -> bytes:
    """The plan with these steps done, everything else as it was. Raises MalformedNote for what is no note."""
    note = Note.parse(content)
    body = note.body
    for step in steps:
        body = body.replace(f"- [ ] {step.value}\n", f"- [x] {step.value}\n")
    return note.with_body(body).put(**({"status": status} if status else {})).content()


_DECIDED = (Step.FILL_IN, Step.ATTACH, Step.APPROVE)
"""What the owner's approval settles. Looking at a bill is another thing: that box is theirs to tick."""

_STATUS = {Stage.DONE: "done", Stage.REJECTED: "rejected", Stage.QUARANTINE: "blocked"}


def state_of(task: Task) -> tuple[tuple[Step, ...], str]:
    """The steps that the place of a task shows to be done, and the status of its plan."""
    steps: tuple[Step, ...] = ()
    if task.stage is Stage.APPROVED or (task.stage is Stage.DONE and task.has_action):
        steps = _DECIDED
    if task.stage is Stage.DONE and task.has_action:
        steps = (*steps, Step.SENT)
    return steps, _STATUS.get(task.stage, "open")


class Planner:
    """Keeps the plans in step with what others do to their tasks."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def behind(self, vault: Vault) -> Edits:
        """The plans that have something to tick, as edits."""
        return dict(self._behind(vault))

    def _behind(self, vault: Vault) -> Iterator[tuple[str, bytes]]:
        journal = vault.journal
        if journal.head is None:
            return
        for where, _ in journal.store.paths(journal.head, "Plans"):
            found = _PATH.fullmatch(where)
            place = journal.where.get(TaskId(found[1])) if found else None
            if place is None or self._seen.get(where) == place:
                continue
            content = ticked = journal.read(where) or b""
            with suppress(MalformedNote):
                steps, status = state_of(notes.read(place, journal.read(place) or b""))
                ticked = tick(content, *steps, status=status)
            if ticked != content:
                yield where, ticked
            else:
                self._seen[where] = place
