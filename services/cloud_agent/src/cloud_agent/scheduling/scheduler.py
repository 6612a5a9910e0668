"""Raises the task of each schedule that is due, once: its id follows from the schedule and the moment."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TypeAlias

import structlog

from cloud_agent.owners_notes import OwnersNote, OwnersNotes
from cloud_agent.scheduling.schedule import BadSchedule, Duty, Schedule, Unreadable, parse
from vault_protocol import plain, updates
from vault_protocol.audit import Record
from vault_protocol.canonical import moment, utc
from vault_protocol.clock import Clock
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note
from vault_protocol.task import AgentId, Domain, Stage, Task, task_id
from vault_protocol.updates import Update
from vault_protocol.vault import Also, Vault

log = structlog.get_logger()

FOLDER = "Schedules"
KIND = "scheduled"
MOST = 100
"""Schedules that are looked at."""
Notes: TypeAlias = "Sequence[OwnersNote[Schedule | Unreadable]]"
SEEN, UNREAD = "schedule", "schedule-unread"


def path_of(agent: AgentId) -> str:
    """Updates/AGENT/schedules.md: which version of each schedule this agent knows since when, and which it cannot
    read."""
    return f"Updates/{agent}/schedules.md"


class Scheduler:
    """`round` is called while nothing is held. What it remembers stands in the vault."""

    def __init__(self, agent: AgentId, clock: Clock) -> None:
        self._agent, self._clock = agent, clock
        self._notes = OwnersNotes(FOLDER, _read, most=MOST)
        self._last: dict[str, datetime] = {}
        """The run of each version that is in the vault already: what came before it is looked at no more."""

    def round(self, vault: Vault) -> int:
        """How many tasks were raised now."""
        now, found = self._clock.now(), self._notes.look(vault)
        known = self._known(vault, found, now)
        self._last = {version: due for version, due in self._last.items() if version in known}
        raised = 0
        for path, blob, schedule in found:
            if isinstance(schedule, Unreadable) or not schedule.enabled:
                continue
            version = _version(path, blob)
            due = schedule.latest(now, since=self._last.get(version, known[version]))
            if due is not None:
                raised += self._raise(vault, path, schedule, due, now)
                self._last[version] = due
        return raised

    def _known(self, vault: Vault, found: Notes, now: datetime) -> dict[str, datetime]:
        """Since when each version is known. A new or changed schedule has missed nothing; it is written down first."""
        where = path_of(self._agent)
        told = updates.parse(vault.journal.read(where) or b"")
        since = {dict(line.facts).get("version", ""): moment(line.at) for line in told}
        lines = []
        for path, blob, state in found:
            version = _version(path, blob)
            at, name = since.setdefault(version, now), _name(path)
            if isinstance(state, Unreadable):
                lines.append(Update.of(UNREAD, at, version=version, name=name, why=state.value))
            else:
                lines.append(Update.of(SEEN, at, version=version, name=name))
        if tuple(lines) != told:
            vault.write("schedules", self._agent, {where: updates.add(None, *lines) if lines else b"\n"})
        return since

    def _raise(self, vault: Vault, path: str, schedule: Schedule, due: datetime, now: datetime) -> bool:
        task = task_for(vault.journal.identity.vault, path, schedule, due)
        if task.id in vault.journal.where:
            return False
        record = Record.of(
            "schedule.due", actor=self._agent, target=task.id, at=now,
            parameters={"schedule": _name(path), "due": utc(due), "task": schedule.duty.value},
        )  # fmt: skip
        update = Update.of("scheduled", now, task=task.id, name=_name(path))
        added = vault.add(task, Also([record], [update]))
        if added:
            log.info("schedule.due", task=task.id, schedule=_name(path))
        return added


def task_for(vault: str, path: str, schedule: Schedule, due: datetime) -> Task:
    """The same for every agent of a fleet. The owner's words stand in a fence: no agent writes what a viewer runs."""
    id_ = task_id(vault.encode(), mailbox=f"schedule {path}", message_id=utc(due), content_sha256="")
    title = plain.one_line(schedule.title, 120) or _name(path)
    front = FrontMatter().put(
        type=KIND, task=schedule.duty.value, subject=title, due=utc(due), received=utc(due), priority="normal",
        schedule=_name(path), about=plain.one_line(schedule.about, 80) or None,
        plan_from=path if schedule.duty is Duty.PLAN else None,
    )  # fmt: skip
    text = plain.visible(schedule.text).strip("\n") or title
    body = f"\n# {title}\n\nDue {due.astimezone(schedule.zone):%Y-%m-%d %H:%M} {schedule.zone.key}\n\n"
    return Task(
        id=id_, stage=Stage.NEEDS_ACTION, domain=Domain.FILES, slug=_name(path),
        note=Note(front, f"{body}## Original\n\n{plain.fenced(text)}"),
    )  # fmt: skip


def _read(content: bytes) -> Schedule | Unreadable:
    try:
        return parse(content)
    except BadSchedule as error:
        return error.why


def _name(path: str) -> str:
    stem = path.removeprefix(f"{FOLDER}/").removesuffix(".md")
    return plain.slug(stem) or hashlib.sha256(stem.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _version(path: str, blob: str) -> str:
    return hashlib.sha256(f"{path}\0{blob}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def parse_told(content: bytes) -> Iterator[tuple[str, str]]:
    """Name and reason of each schedule that could not be read."""
    for line in updates.parse(content):
        facts = dict(line.facts)
        if line.event == UNREAD:
            yield facts.get("name", ""), facts.get("why", "")
