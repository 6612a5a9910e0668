"""*History*: what has ended, found again, and of each task the whole story, with the chains of the audit verified."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from starlette.responses import Response

from local_agent.approvals.answering import Ask
from local_agent.assemble import Local
from local_agent.trail import read_logs
from vault_protocol import layout, notes
from vault_protocol.audit import Record
from vault_protocol.errors import MalformedNote, NoSuchTask
from vault_protocol.task import Stage, Task

MOST = 50
LOOKED_AT = 3000
"""Notes one search reads, newest months first; it says so when there are more."""

SAID = {
    "mail.arrived": "arrived", "task.claimed": "was claimed", "task.submitted": "was put up for approval",
    "approval.decided": "was decided", "approval.taken_back": "was taken back", "effect.confirmed": "was carried out",
    "effect.refused": "was refused, nothing happened", "effect.unknown": "may have happened: nobody knows",
    "effect.resolved": "was settled by the owner's word", "file.taken_in": "was dropped into the folder",
}  # fmt: skip
SHOWN = ("verdict", "how", "edited", "rule", "message_id", "digest", "approval", "effect", "sent_at")


def history(ask: Ask) -> Response:
    wanted = ask.query.get("q", "")[:200].strip()
    with ask.page.vault() as (local, trouble):
        paths = _paths(local)
        looked = paths[:LOOKED_AT]
        found = list(islice((task for task in _tasks(local, looked) if _fits(task, wanted)), MOST))
        return ask.show(
            "history.html", trouble=trouble, wanted=wanted, found=found, cut=len(found) == MOST,
            unread=max(0, len(paths) - LOOKED_AT),
        )  # fmt: skip


def story(ask: Ask) -> Response:
    """Everything that every agent wrote down about one task."""
    with ask.page.vault() as (local, trouble):
        try:
            task = local.vault.get(ask.id)
        except MalformedNote:
            raise NoSuchTask(f"the note of {ask.id} cannot be read") from None
        records, verified, broken = read_logs(local.vault.journal)
        steps = [_step(record) for record in records if record.target == task.id]
        return ask.show(
            "story.html", trouble=trouble, task=task, steps=steps, verified=verified, broken=broken,
            body=task.note.body.strip("\n"),
        )  # fmt: skip


def _step(record: Record) -> tuple[Record, str, list[tuple[str, str]]]:
    """The record, what it says in words, and the facts worth a look."""
    facts = [(key, str(value)) for key in SHOWN if (value := record.parameters.get(key)) not in (None, "", False)]
    return record, SAID.get(record.action_type, record.action_type), facts


def _paths(local: Local) -> list[str]:
    """What has ended, and what is still open, newest month first."""
    places = ((path, layout.place_of(path)) for path in local.vault.journal.where.values())
    known = [(place.stage in layout.BY_MONTH, path) for path, place in places if place is not None]
    return [path for _, path in sorted(known, key=lambda row: (row[0], _month(row[1])), reverse=True)]


def _month(path: str) -> str:
    return path.partition("/")[2]


def _tasks(local: Local, paths: list[str]) -> Iterator[Task]:
    for path in paths:
        try:
            yield notes.read(path, local.vault.journal.read(path) or b"")
        except MalformedNote:
            continue


def _fits(task: Task, wanted: str) -> bool:
    if not wanted:
        return task.stage in (Stage.DONE, Stage.REJECTED)
    front = task.note.front
    text = "\n".join((task.id, front.words("from"), front.words("subject"), front.words("result"), task.note.body))
    return all(word in text.casefold() for word in wanted.casefold().split())
