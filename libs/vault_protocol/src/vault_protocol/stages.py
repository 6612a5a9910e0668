"""The tasks of each stage as of the head, parsed once: a new head costs what it changed, however many there are."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice

from . import layout, notes
from .errors import MalformedNote, UntrustedHead
from .fleet import Urgency, urgency
from .hub import BlobId, CommitId, Store
from .task import AgentId, Domain, Stage, Task, TaskId

MANY = 256
"""Commits from which a stage is read anew."""


@dataclass
class _Entry:
    path: str
    blob: BlobId
    task: Task | MalformedNote | None = None
    """None until somebody asked."""


@dataclass
class _Stage:
    head: CommitId
    entries: dict[TaskId, _Entry] = field(default_factory=dict)
    queues: dict[Domain, list[Urgency]] | None = None
    """The readable tasks of each domain, the most urgent first; None until somebody asked."""
    holders: Counter[AgentId] = field(default_factory=Counter)

    def put(self, id_: TaskId, entry: _Entry) -> None:
        self.entries[id_] = entry
        self._count(entry, 1)
        if self.queues is not None and isinstance(entry.task, Task):
            insort(self.queues.setdefault(entry.task.domain, []), urgency(entry.task))

    def drop(self, id_: TaskId) -> None:
        entry = self.entries.pop(id_, None)
        if entry is None:
            return
        self._count(entry, -1)
        if self.queues is not None and isinstance(entry.task, Task):
            queue = self.queues[entry.task.domain]
            del queue[bisect_left(queue, urgency(entry.task))]

    def _count(self, entry: _Entry, number: int) -> None:
        place = layout.place_of(entry.path)
        if place is not None and place.owner is not None:
            self.holders[place.owner] += number


class Stages:
    """What one agent knows of the stages; `look` tells it the head to look at."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._head: CommitId | None = None
        self._where: Mapping[TaskId, str] = {}
        self._known: dict[Stage, _Stage] = {}

    def look(self, head: CommitId | None, where: Mapping[TaskId, str]) -> Stages:
        """From now on what stands at `head`; `where` has the place of each task there."""
        self._head, self._where = head, where
        return self

    def notes(self, stages: Iterable[Stage]) -> list[Task | MalformedNote]:
        """What stands in these stages, by path; what no parser takes as the reason why."""
        found: dict[str, Task | MalformedNote] = {}
        for stage in stages:
            found |= {entry.path: self._read_note(entry) for entry in self._at(stage).entries.values()}
        return [found[path] for path in sorted(found)]

    def urgent(
        self, stage: Stage, domains: Iterable[Domain], most: int, *, fit: Callable[[Task], bool] = lambda task: True
    ) -> list[Task]:
        """The most urgent of this stage that are `fit`, at most so many: highest priority first, then the oldest."""
        known = self._at(stage)
        queues = known.queues if known.queues is not None else self._queue(known)
        queue = merge(*(queues.get(domain, []) for domain in domains))
        waiting = (known.entries[TaskId(id_)].task for _, _, id_ in queue)
        return list(islice((task for task in waiting if isinstance(task, Task) and fit(task)), most))

    def named(self, stage: Stage, ids: Iterable[TaskId]) -> list[Task]:
        """Those of these tasks that stand there and can be read, in this order."""
        entries = self._at(stage).entries
        found = (self._read_note(entries[id_]) for id_ in ids if id_ in entries)
        return [task for task in found if isinstance(task, Task)]

    def holders(self) -> frozenset[AgentId]:
        """Who holds a task."""
        return frozenset(agent for agent, tasks in self._at(Stage.IN_PROGRESS).holders.items() if tasks)

    def _at(self, stage: Stage) -> _Stage:
        if self._head is None:
            return _Stage(CommitId(""))
        known = self._known.get(stage)
        if known is None or not self._bring(known, stage, self._head):
            known = self._read(stage, self._head, known)
        if stage not in layout.BY_MONTH:  # what has ended is not kept in memory
            self._known[stage] = known
        return known

    def _bring(self, known: _Stage, stage: Stage, head: CommitId) -> bool:
        """Bring it to the head by what changed since; False when that is not known, or too much."""
        try:
            ahead = self._store.history(known.head, head) if known.head != head else ()
        except UntrustedHead:
            return False
        if len(ahead) > MANY:
            return False
        touched: set[TaskId] = set()
        before = known.head
        for commit in ahead:
            places = (layout.place_of(change.path) for change in self._store.changes(before, commit.id))
            touched |= {place.id for place in places if place is not None}
            before = commit.id
        for id_ in touched:
            known.drop(id_)
            path = self._where.get(id_)
            blob = self._store.blob_id(head, path) if path and path.startswith(stage.value + "/") else None
            if path and blob:
                entry = _Entry(path, blob)
                if known.queues is not None:
                    self._read_note(entry)
                known.put(id_, entry)
        known.head = head
        return True

    def _read(self, stage: Stage, head: CommitId, before: _Stage | None) -> _Stage:
        found, old = _Stage(head), before.entries if before else {}
        for path, blob in self._store.paths(head, stage.value):
            place = layout.place_of(path)
            if place is None or self._where.get(place.id) != path:
                continue
            entry = old.get(place.id)
            same = entry is not None and (entry.path, entry.blob) == (path, blob)
            found.put(place.id, entry if entry and same else _Entry(path, blob))
        return found

    def _queue(self, known: _Stage) -> dict[Domain, list[Urgency]]:
        known.queues = {}
        for entry in known.entries.values():
            if isinstance(task := self._read_note(entry), Task):
                known.queues.setdefault(task.domain, []).append(urgency(task))
        for queue in known.queues.values():
            queue.sort()
        return known.queues

    def _read_note(self, entry: _Entry) -> Task | MalformedNote:
        if entry.task is None:
            try:
                entry.task = notes.read(entry.path, self._store.blob(entry.blob))
            except MalformedNote as error:
                entry.task = error
        return entry.task
