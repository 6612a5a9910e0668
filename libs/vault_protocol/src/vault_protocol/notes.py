"""Task ⇄ note: the fields of a task stand in its front matter, its stage and id in its path."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from . import layout
from .canonical import moment, utc
from .errors import MalformedNote
from .front_matter import FrontMatterError
from .note import SMALL, Note
from .task import AGENT_ID, AgentId, Domain, Lease, Stage, Task

KNOWN = "## What was known"
"""The section in which Cloud tells the owner what it knew of a sender, in a fence above the original."""


def read(path: str, content: bytes) -> Task:
    """The task at this path. Raises MalformedNote when path and front matter do not tell one story."""
    return _remembered(path, content) if len(content) < SMALL else _read(path, content)


def _read(path: str, content: bytes) -> Task:
    place = layout.place_of(path)
    if place is None:
        raise MalformedNote(path, "this is no place for a task")
    note = Note.parse(content, path)
    front = note.front
    try:
        if front.words("id") != place.id:
            raise MalformedNote(path, f"its id is {front.words('id')!r}, its name says {place.id}")
        attempt, revision = front.number("attempt"), front.number("revision")
        domain = Domain(front.words("domain"))
        finished = _moment(front.words("finished"))
        lease = None
        if place.stage is Stage.IN_PROGRESS:
            owner, until = front.words("owner"), _moment(front.words("lease_until"))
            if owner != place.folder or not AGENT_ID.fullmatch(owner) or until is None:
                raise MalformedNote(path, f"the lease names {owner!r}, the folder {place.folder!r}")
            lease = Lease(owner=AgentId(owner), attempt=attempt, until=until)
    except (ValueError, FrontMatterError) as error:
        raise MalformedNote(path, str(error)) from None
    task = Task(
        id=place.id, stage=place.stage, domain=domain, slug=place.slug, attempt=attempt,
        revision=revision, lease=lease, finished=finished, note=note,
    )  # fmt: skip
    if place.stage in layout.BY_MONTH and finished is None:
        raise MalformedNote(path, "it has ended, but does not say when (`finished`)")
    if layout.path_of(task) != path:
        raise MalformedNote(path, f"what it says of itself belongs at {layout.path_of(task)}")
    return task


_remembered = lru_cache(maxsize=512)(_read)


def write(task: Task) -> tuple[str, bytes]:
    """Path and bytes of a task; `read` gives it back."""
    lease = task.lease
    note = task.note.put(
        id=task.id,
        domain=task.domain.value,
        status=task.stage.value.lower(),
        attempt=task.attempt or None,
        revision=task.revision or None,
        owner=lease.owner if lease else None,
        lease_until=utc(lease.until) if lease else None,
        finished=utc(task.finished) if task.finished else None,
    )
    return layout.path_of(task), note.content()


def _moment(text: str) -> datetime | None:
    return moment(text) if text else None
