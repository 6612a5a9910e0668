"""Who may write what. Rights are moves and areas, as data; `judge` holds one commit against them."""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from . import fences, layout, notes, scan, twins
from .errors import MalformedNote, Refused
from .hub import REGULAR, Change
from .layout import Place
from .moves import MOVES
from .note import Note
from .task import AgentId, Role, Stage, Task, TaskId
from .twins import Names

S = Stage

_FRONT = re.compile(r"\ufeff?---[ \t]*[\r\n].*?[\r\n](?:---|\.\.\.)[ \t]*(?:[\r\n]|\Z)", re.DOTALL)
"""Front matter as viewers cut it off, whatever is in it."""


class Whose(StrEnum):
    """Whose In_Progress folder a right is about."""

    ANY = "any"
    OWN = "own"
    OTHERS = "others'"


@dataclass(frozen=True)
class Right:
    """One row of the table: this role may make this move."""

    role: Role
    source: Stage | None
    target: Stage
    whose: Whose = Whose.ANY


def _rights(role: Role, source: Stage | None, *targets: Stage, whose: Whose = Whose.ANY) -> tuple[Right, ...]:
    return tuple(Right(role, source, target, whose) for target in targets)


RIGHTS: tuple[Right, ...] = (
    *_rights(Role.CLOUD, None, S.NEEDS_ACTION, S.QUARANTINE),
    *_rights(Role.CLOUD, S.NEEDS_ACTION, S.IN_PROGRESS, whose=Whose.OWN),
    *_rights(Role.CLOUD, S.NEEDS_ACTION, S.QUARANTINE),
    *_rights(
        Role.CLOUD, S.IN_PROGRESS, S.IN_PROGRESS, S.NEEDS_ACTION, S.PENDING_APPROVAL, S.QUARANTINE, S.DONE,
        whose=Whose.OWN,
    ),
    *_rights(Role.CLOUD, S.IN_PROGRESS, S.NEEDS_ACTION, whose=Whose.OTHERS),
    *_rights(Role.LOCAL, None, S.NEEDS_ACTION, S.QUARANTINE),
    *_rights(Role.LOCAL, S.NEEDS_ACTION, S.IN_PROGRESS, whose=Whose.OWN),
    *_rights(Role.LOCAL, S.NEEDS_ACTION, S.NEEDS_ACTION, S.QUARANTINE, S.DONE),
    *_rights(
        Role.LOCAL, S.IN_PROGRESS, S.IN_PROGRESS, S.NEEDS_ACTION, S.PENDING_APPROVAL, S.QUARANTINE, S.DONE,
        whose=Whose.OWN,
    ),
    *_rights(Role.LOCAL, S.IN_PROGRESS, S.NEEDS_ACTION, whose=Whose.OTHERS),
    *_rights(
        Role.LOCAL, S.PENDING_APPROVAL,
        S.PENDING_APPROVAL, S.APPROVED, S.REJECTED, S.NEEDS_ACTION, S.QUARANTINE, S.DONE,
    ),
    *_rights(Role.LOCAL, S.APPROVED, S.PENDING_APPROVAL, S.DONE),
    *_rights(Role.LOCAL, S.REJECTED, S.REJECTED, S.NEEDS_ACTION),
    *_rights(Role.LOCAL, S.DONE, S.DONE),
    *_rights(Role.LOCAL, S.QUARANTINE, S.QUARANTINE, S.NEEDS_ACTION, S.DONE),
)  # fmt: skip


class Rule(StrEnum):
    """How the notes of an area may change."""

    WRITE = "write"
    APPEND = "append only"
    CREATE = "create only"
    SIGNAL = "cloud creates, local clears"


@dataclass(frozen=True)
class Area:
    """Notes that are no tasks: who writes below a folder. `{self}` in it stands for the writer's own name."""

    folder: str
    roles: frozenset[Role]
    rule: Rule = Rule.WRITE


BOTH = frozenset(Role)
ONLY_LOCAL = frozenset({Role.LOCAL})

AREAS: tuple[Area, ...] = (
    Area("Plans/", BOTH),
    Area("Updates/{self}/", BOTH),
    Area("Logs/{self}/", BOTH, Rule.APPEND),
    Area("Signals/", BOTH, Rule.SIGNAL),
    Area("Briefings/", BOTH),
    Area("Approvals/", ONLY_LOCAL, Rule.CREATE),
    Area("", ONLY_LOCAL),
)
"""The first area whose folder begins the path decides; the last is everything else."""

LARGEST = 16 * 1024 * 1024
"""Bytes a file may have; notes of tasks are held to less by their parser."""

Read: TypeAlias = Callable[[str], bytes | None]


@dataclass(frozen=True)
class Writer:
    """Who signed: the agent and the role of its pinned key."""

    agent: AgentId
    role: Role


def judge(
    writer: Writer, changes: Iterable[Change], *, before: Read, after: Read, where: Mapping[TaskId, str], names: Names
) -> None:  # fmt: skip
    """Raises Refused, with rule and path, unless this writer may make all these changes in one commit.

    `before` and `after` read a path in the parent and in the new commit; `where` has each task's path in the parent,
    `names` what lies in a folder there.
    """
    changes = tuple(changes)
    touched: dict[TaskId, list[Change]] = {}
    for change in changes:
        _judge_name(writer, change)
        if change.new is not None and change.new != change.old and len(after(change.path) or b"") > LARGEST:
            raise Refused("size", change.path, f"it is over {LARGEST} bytes")
        place = layout.place_of(change.path)
        if place is not None:
            touched.setdefault(place.id, []).append(change)
        elif layout.task_named(change.path) and change.new is not None:
            raise Refused("place", change.path, "a task's name outside the places for tasks")
        else:
            _judge_area(writer, change, before, after)
    twins.judge(changes, names)
    for task, its_changes in touched.items():
        _judge_task(writer, task, its_changes, before, after, where.get(task))


def _judge_name(writer: Writer, change: Change) -> None:
    if change.new is None:
        return
    if change.mode != REGULAR:
        raise Refused("mode", change.path, f"mode {change.mode:o}; only plain files (100644) sync")
    fault = layout.name_fault(change.path, by_agent=writer.role is Role.CLOUD)
    if fault:
        raise Refused("name", change.path, fault)


def _judge_area(writer: Writer, change: Change, before: Read, after: Read) -> None:
    path = change.path
    for area in AREAS:
        shared, _, own = area.folder.partition("{self}")
        if not path.startswith(shared):
            continue
        if own and not path.startswith(shared + writer.agent + own):
            raise Refused("zone", path, f"{shared} holds one folder an agent; {writer.agent} writes only its own")
        if writer.role not in area.roles:
            raise Refused("zone", path, f"{writer.agent} ({writer.role.value}) may not write here")
        if area.rule is Rule.CREATE and change.old is not None:
            raise Refused("create only", path, "what lies here never changes")
        if area.rule is Rule.SIGNAL and change.old is not None and writer.role is Role.CLOUD:
            raise Refused("signal", path, "a signal stands until Local has applied it, whoever gave it")
        old, new = before(path), after(path)
        if area.rule is Rule.APPEND and change.old is not None and not (new or b"").startswith(old or b""):
            raise Refused("append only", path, "a log only grows")
        _judge_active(writer, path, old, new)
        _judge_secret(writer, path, old, new)
        return


def _judge_active(writer: Writer, path: str, old: bytes | None, new: bytes | None) -> None:
    """What Cloud writes is read in a viewer that runs queries and loads images: it adds no line that does either."""
    if writer.role is not Role.CLOUD or new is None or new == old or not path.endswith(".md"):
        return
    before, after = _bodies(old) if old else (), _bodies(new)
    if before == after:
        return
    known = frozenset(line for body in before for line in fences.active(body))
    added = next((line for body in after for line in fences.active(body) if line not in known), None)
    if added is not None:
        raise Refused("active content", path, f"a viewer would run, load or follow this: {added.strip()[:80]!r}")


def judge_words(writer: Writer, words: str, where: str) -> None:
    """Raises Refused when Cloud writes a secret in the form of its provider into a name or a message."""
    kinds = scan.provider_secrets(words) if writer.role is Role.CLOUD else ()
    if kinds:
        raise Refused("secret", where, f"it holds what looks like a {kinds[0]}")


def _judge_secret(writer: Writer, path: str, old: bytes | None, new: bytes | None) -> None:
    """Cloud adds none; what stood there before was somebody else's to refuse."""
    if writer.role is not Role.CLOUD or new is None or new == old:
        return
    judge_words(writer, path, path)
    found = scan.provider_secrets(new.decode("utf-8", "replace"))
    added = Counter(found) - Counter(scan.provider_secrets((old or b"").decode("utf-8", "replace"))) if found else None
    if added:
        raise Refused("secret", path, f"it holds what looks like a {next(iter(added))}")


def _bodies(content: bytes) -> tuple[str, ...]:
    """What a viewer may show of it: where its front matter does not read, all of it, and what comes behind that."""
    try:
        return (Note.parse(content).body,)
    except MalformedNote:
        whole = content.decode("utf-16" if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8", "replace")
    found = _FRONT.match(whole)
    return (whole, whole[found.end() :]) if found else (whole,)


def _judge_task(
    writer: Writer, task: TaskId, changes: list[Change], before: Read, after: Read, source: str | None
) -> None:
    kept = {source} if source else set()
    stands = (kept | {c.path for c in changes if c.new}) - {c.path for c in changes if c.new is None}
    if len(stands) != 1:
        raise Refused("one place", changes[0].path, f"task {task} would stand in {len(stands)} places")
    target = stands.pop()
    source_place = layout.place_of(source) if source else None
    target_place = layout.place_of(target)
    assert target_place is not None
    source_stage = source_place.stage if source_place else None
    if target_place.stage not in MOVES[source_stage] and source_stage is not target_place.stage:
        raise Refused("move", target, f"no move leads from {_name(source_stage)} to {target_place.stage.value}")
    if not any(_covers(right, writer, source_place, target_place) for right in RIGHTS):
        move = f"{_name(source_stage)} to {target_place.stage.value}"
        raise Refused("zone", target, f"{writer.agent} ({writer.role.value}) may not move a task from {move}")
    content, was = after(target), before(source) if source else None
    _judge_active(writer, target, was, content)
    _judge_secret(writer, target, was, content)
    if target_place.stage is S.QUARANTINE:
        return
    try:
        new = notes.read(target, content or b"")
    except MalformedNote as error:
        raise Refused("note", target, error.reason) from None
    _judge_fields(writer, _readable(source, before), new, target)


def _judge_fields(writer: Writer, old: Task | None, new: Task, path: str) -> None:
    was = (old.attempt, old.revision) if old else (0, 0)
    claims = new.stage is S.IN_PROGRESS and (old is None or old.stage is not S.IN_PROGRESS)
    if new.attempt != was[0] + claims:
        raise Refused(
            "attempt",
            path,
            f"attempt {new.attempt} after {was[0]}; a claim raises it by one, nothing else does",
        )
    source = old.stage if old else None
    steps: tuple[int, ...] = (0,)
    if new.stage is S.PENDING_APPROVAL and source in (S.IN_PROGRESS, S.PENDING_APPROVAL):
        steps = (1,)
    elif new.stage is S.APPROVED:
        steps = (0, 1)
    if new.revision - was[1] not in steps:
        raise Refused("revision", path, f"revision {new.revision} after {was[1]}")
    if new.stage is S.APPROVED and old and new.revision == old.revision and new.note.body != old.note.body:
        raise Refused("revision", path, "the text changed, the revision did not")
    reaps = old is not None and old.lease is not None and old.lease.owner != writer.agent
    if reaps and old is not None and new.note.body != old.note.body:
        raise Refused("reap", path, "a reaped task goes back as it is")
    if writer.role is Role.CLOUD and new.stage is S.DONE and (new.revision or new.has_action):
        raise Refused("zone", path, "only the owner ends a task that was put up for approval")


def _covers(right: Right, writer: Writer, source: Place | None, target: Place) -> bool:
    if right.role is not writer.role or right.target is not target.stage:
        return False
    if right.source is not (source.stage if source else None):
        return False
    if target.owner is not None and target.owner != writer.agent:
        return False
    held_by = (source and source.owner) or target.owner
    if right.whose is Whose.OWN:
        return held_by == writer.agent
    return right.whose is Whose.ANY or held_by != writer.agent


def _readable(path: str | None, read: Read) -> Task | None:
    """The task as it stood; None when there was none, or none that can be read."""
    if path is None:
        return None
    try:
        return notes.read(path, read(path) or b"")
    except MalformedNote:
        return None


def _name(stage: Stage | None) -> str:
    return stage.value if stage else "outside"
