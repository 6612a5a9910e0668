"""Where plans come from: the owner's notes below Objectives/, and the templates of Schedules/.

Only Local's key may write in either folder, so what stands there is the owner's; the text of a task, which anybody's
mail may have led to, is never read for steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import structlog

from cloud_agent.owners_notes import OwnersNotes
from cloud_agent.plans.steps import Step, parse
from vault_protocol import plain
from vault_protocol.audit import Record
from vault_protocol.canonical import utc
from vault_protocol.clock import Clock
from vault_protocol.errors import MalformedNote
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note
from vault_protocol.task import AgentId, Domain, Stage, Task, TaskId, task_id
from vault_protocol.updates import Update
from vault_protocol.vault import Also, Vault

log = structlog.get_logger()

FOLDER, SCHEDULES = "Objectives", "Schedules"
KIND, READY = "plan", "ready"
LARGEST = 32 * 1024
MOST = 200
"""Notes that are looked at."""


class Unreadable(StrEnum):
    """Why a note below Objectives/ begins nothing."""

    EMPTY = "empty"
    NOTE = "no-note"
    SIZE = "too-large"


class NoSteps(Exception):
    """No plan can be made of it; the message is for the owner."""


class NoneListed(NoSteps):
    """The owner's note lists no step that a plan can have. `text` is what stands there instead of a list."""

    def __init__(self, objective: str, text: str) -> None:
        super().__init__("no step is listed that a plan can have: a line is `- read: …`; docs/plans.md lists the kinds")
        self.objective, self.text = objective, text


WHY = {
    Unreadable.EMPTY: "it is empty or not there",
    Unreadable.NOTE: "it is no note: front matter stands between two lines `---`",
    Unreadable.SIZE: f"it has more than {LARGEST} bytes",
}


@dataclass(frozen=True)
class Wish:
    """What the owner wants, and the steps that they listed."""

    objective: str
    steps: tuple[Step, ...]


class Objectives:
    """Raises one task for each note that is ready, ever: its id follows from the note's path."""

    def __init__(self, agent: AgentId, clock: Clock) -> None:
        self._agent, self._clock = agent, clock
        self._notes = OwnersNotes(FOLDER, note_of, most=MOST)
        self.unread: tuple[tuple[str, Unreadable], ...] = ()
        """(path, what is wrong with it) of each note that cannot be read."""

    def round(self, vault: Vault) -> int:
        """How many tasks were raised now."""
        found = self._notes.look(vault)
        self.unread = tuple((path, note) for path, _, note in found if isinstance(note, Unreadable))
        return sum(self._raise(vault, path, note) for path, _, note in found if isinstance(note, Note))

    def _raise(self, vault: Vault, path: str, note: Note) -> bool:
        if note.front.words("type") != KIND or note.front.words("status").strip().lower() != READY:
            return False
        task = task_for(vault.journal.identity.vault, path, note, self._clock.now())
        if task.id in vault.journal.where:
            return False
        now = self._clock.now()
        record = Record.of("plan.begun", actor=self._agent, target=task.id, at=now, parameters={"note": task.slug})
        if added := vault.add(task, Also([record], [Update.of("planned", now, task=task.id)])):
            log.info("plan.begun", task=task.id)
        return added


def task_for(vault: str, path: str, note: Note, now: datetime) -> Task:
    """The same for every agent of a fleet."""
    name = path.removeprefix(f"{FOLDER}/").removesuffix(".md")
    title = plain.one_line(note.front.words("objective"), 120) or plain.one_line(name, 120)
    front = FrontMatter().put(type=KIND, subject=title, received=utc(now), priority="normal", plan_from=path)
    return Task(
        id=id_of(vault, path), stage=Stage.NEEDS_ACTION, domain=Domain.FILES, slug=plain.slug(name),
        note=Note(front, f"\n# {title}\n\nA plan of the owner's.\n"),
    )  # fmt: skip


def id_of(vault: str, path: str) -> TaskId:
    """Of the task that works the plan of this note."""
    return task_id(vault.encode(), mailbox=f"plan {path}", message_id="", content_sha256="")


def is_plan(task: Task) -> bool:
    """Whether the task is one that is worked step by step; its type is another while it asks the owner."""
    return bool(task.note.front.words("plan_from"))


def wished(vault: Vault, task: Task) -> Wish:
    """Read from the owner's own note. Raises NoSteps."""
    path = task.note.front.words("plan_from")
    if path.partition("/")[0] not in (FOLDER, SCHEDULES):
        raise NoSteps("only a note of the owner's in Objectives/ or Schedules/ begins a plan")
    note = note_of(vault.journal.read(path) or b"")
    if isinstance(note, Unreadable):
        raise NoSteps(f"{plain.one_line(path)} cannot be read: {WHY[note]}")
    steps = parse(note.body)
    if all(step.refused for step in steps):
        raise NoneListed(task.note.front.words("subject"), note.body if not steps else "")
    return Wish(task.note.front.words("subject"), steps)


def note_of(content: bytes) -> Note | Unreadable:
    """The note, or what is wrong with it."""
    if not 0 < len(content) <= LARGEST:
        return Unreadable.SIZE if content else Unreadable.EMPTY
    try:
        return Note.parse(content)
    except MalformedNote as error:
        log.warning("objective.unreadable", reason=error.reason)
        return Unreadable.NOTE
