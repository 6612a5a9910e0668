"""The verbs agents use. Each is one changeset: the move, the updates and the audit records that belong to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from random import Random
from typing import TypeAlias

from . import layout, moves, notes, updates
from .approval import SignedApproval
from .audit import Record
from .errors import ClaimLost, IllegalMove, MalformedNote, NoSuchTask, Refused, StaleRevision
from .fleet import CIRCLE, Fleet
from .hub import CommitId, Edits
from .journal import Journal
from .note import Note
from .reserving import Reserving
from .stages import Stages
from .task import AgentId, Domain, Stage, Task, TaskId
from .updates import Update

LEASE = timedelta(minutes=10)


@dataclass(frozen=True)
class Also:
    """What goes into the same commit as a move."""

    records: Sequence[Record] = ()
    updates: Sequence[Update] = ()
    edits: Edits = field(default_factory=dict)


NOTHING_ELSE = Also()


Fit: TypeAlias = Callable[[Task], bool]


def any_task(_task: Task) -> bool:
    """What an agent takes that takes everything."""
    return True


class Vault:
    """One agent's hands on the vault. `journal` says who it is and where the hub is."""

    def __init__(self, journal: Journal, *, lease: timedelta = LEASE) -> None:
        self.journal, self._lease = journal, lease
        self._fleet = Fleet(journal.identity.agent, lease.total_seconds())
        self._chance = Random(journal.identity.agent)  # noqa: S311 - spreads those who claim
        self._watched: dict[TaskId, tuple[str, float]] = {}
        self._stages = Stages(journal.store)
        self._reserving = Reserving(journal)

    def refresh(self, *, later: bool = False) -> CommitId | None:
        return self.journal.refresh(later=later)

    def get(self, task: str) -> Task:
        """The task with this id, or the one whose id begins so. Raises NoSuchTask, MalformedNote."""
        path = self.journal.where.get(TaskId(task))
        if path is None:
            found = sorted(id_ for id_ in self.journal.where if task and id_.startswith(task))
            if len(found) != 1:
                what = f"{len(found)} tasks begin" if found else "no task begins"
                raise NoSuchTask(f"{what} with {task!r}")
            path = self.journal.where[found[0]]
        return notes.read(path, self.journal.read(path) or b"")

    def tasks(self, *stages: Stage) -> Iterator[Task]:
        """The readable tasks of these stages, oldest path first. Unreadable ones: `malformed`."""
        return (found for found in self._notes(stages) if isinstance(found, Task))

    def malformed(self, *stages: Stage) -> Iterator[MalformedNote]:
        """What stands in these stages and no parser takes."""
        return (found for found in self._notes(stages) if isinstance(found, MalformedNote))

    def add(self, task: Task, also: Also = NOTHING_ELSE) -> bool:
        """A new task; False when its id is already somewhere in the vault."""
        added = False

        def build(_head: CommitId | None) -> Edits:
            nonlocal added
            added = task.id not in self.journal.where
            return self._edits(None, task, also) if added else {}

        self.journal.publish("add", task.id, build)
        return added

    def claim_next(self, domains: Iterable[Domain], *, fit: Fit = any_task) -> Task | None:
        """Claim one waiting task that is `fit`, highest priority and then oldest first; None when there is none."""
        return next(iter(self.claim(domains, 1, fit=fit)), None)

    def claim(self, domains: Iterable[Domain], count: int, *, fit: Fit = any_task) -> tuple[Task, ...]:
        """Claim up to `count` waiting tasks that are `fit` in one changeset: the most urgent that no other agent is
        likely to take.

        What comes back is owned: it was read back from the hub's head after an accepted publish. Raises ClaimLost when
        none of what was claimed is held any more.
        """
        wanted, me = frozenset(domains), self.journal.identity.agent
        claimed: tuple[Task, ...] = ()
        tries = 0

        def takes(task: Task) -> bool:
            return fit(task) and not self.passes_over(task.id)

        def build(_head: CommitId | None) -> Edits:
            nonlocal claimed, tries
            stages, fleet, now = self._at_head, self._fleet, self.journal.clock.now()
            if tries:
                fleet.lost(self._chance.randrange(CIRCLE))
            tries += 1
            fleet.at_work(stages.holders(), self.journal.clock.monotonic())
            chosen = self._reserved(wanted, count, takes)
            if not chosen:
                waiting = self._at_head.urgent(Stage.NEEDS_ACTION, wanted, fleet.window(count), fit=takes)
                chosen = fleet.pick(waiting, count)
            claimed = tuple(moves.claim(task, agent=me, now=now, ttl=self._lease) for task in chosen)
            edits: dict[str, bytes | None] = {}
            for task, ours in zip(chosen, claimed, strict=True):
                edits |= self._edits(task, ours, NOTHING_ELSE)
            return edits

        self.journal.publish("claim", "next" if count == 1 else f"next {count}", build)
        if tries == 1:
            self._fleet.won()
        there = [self.get(task.id) for task in claimed]
        held = tuple(now for now, ours in zip(there, claimed, strict=True) if _is_held(now, me, ours.attempt))
        if there and not held:
            raise ClaimLost(there[0].id, there[0].lease.owner if there[0].lease else None)
        return held

    def _reserved(self, domains: frozenset[Domain], count: int, takes: Fit) -> Sequence[Task]:
        """What the hub set aside for us; asked for only where others claim too and there is something to choose."""
        ours = self._reserving.left(domains)
        if not ours and not self._fleet.alone:
            some = self._at_head.urgent(Stage.NEEDS_ACTION, domains, count + 1, fit=takes)
            ours = self._reserving.ask(domains, count) if len(some) > count else ()
        there = self._at_head.named(Stage.NEEDS_ACTION, ours)
        chosen = [task for task in there if task.domain in domains and takes(task)][:count]
        self._reserving.take([task.id for task in chosen] if chosen else ours)
        return chosen

    def passes_over(self, task: TaskId) -> bool:
        """Whether this agent leaves a waiting task alone for now."""
        return False

    def renew(self, task: Task) -> Task:
        """Keep a held task for one more lease."""
        agent, now = self.journal.identity.agent, self.journal.clock.now()
        return self._fenced(
            "renew",
            task,
            lambda t: moves.renew(t, agent=agent, attempt=task.attempt, now=now, ttl=self._lease),
        )

    def release(self, task: Task, *, waiting_for: str | None = None, also: Also = NOTHING_ELSE) -> Task:
        """Give a held task back, with a word on what it waits for."""
        agent = self.journal.identity.agent
        return self._fenced(
            "release",
            task,
            lambda t: moves.release(t, agent=agent, attempt=task.attempt, waiting_for=waiting_for),
            also,
        )

    def submit(self, task: Task, note: Note, also: Also = NOTHING_ELSE) -> Task:
        """Put a held task up for the owner as its next revision."""
        agent = self.journal.identity.agent
        return self._fenced("submit", task, lambda t: moves.submit(t, note, agent=agent, attempt=task.attempt), also)

    def close(self, task: Task, note: Note, also: Also = NOTHING_ELSE) -> Task:
        """End a held task that asks for nothing to be done."""
        agent, now = self.journal.identity.agent, self.journal.clock.now()
        return self._fenced(
            "close", task, lambda t: moves.close(t, note, agent=agent, attempt=task.attempt, now=now), also
        )

    def quarantine(self, task: Task, *, reason: str, also: Also = NOTHING_ELSE) -> Task:
        """Set a task aside as it is."""
        agent, held = self.journal.identity.agent, task.attempt if task.lease else None
        move = partial(moves.quarantine, reason=reason, agent=agent, held=held)
        if task.lease is None:
            return self._decided("quarantine", task, move, also)
        return self._fenced("quarantine", task, move, also)

    def quarantine_note(self, path: str, also: Also = NOTHING_ELSE) -> None:
        """Set aside a note that no parser takes: its bytes move as they are, the reason is in the records."""
        place = layout.place_of(path)
        if place is None:
            raise IllegalMove(f"{path} is no place of a task")
        name = f"{place.id}-{place.slug}" if place.slug else place.id
        target = f"{Stage.QUARANTINE.value}/{name}.md"

        def build(_head: CommitId | None) -> Edits:
            content = self.journal.read(path)
            if content is None:
                return {}
            return {path: None, target: content, **self._along(also)}

        self.journal.publish("quarantine", place.id, build)

    def withdraw(self, task: TaskId, revision: int) -> None:
        """Ask Local to take back a draft that no longer holds; Cloud itself never touches what was submitted."""
        signal = f"Signals/withdraw-{task}-{revision}.json"

        def build(_head: CommitId | None) -> Edits:
            """Whoever asked for it first, and in what words: it is asked for."""
            return {} if self.journal.read(signal) is not None else {signal: b"{}\n"}

        self.journal.publish("withdraw", task, build)

    def reap(self) -> tuple[TaskId, ...]:
        """Free the tasks whose lease this observer has seen unchanged for a whole lease, by its own clock."""
        now, mine, freed = self.journal.clock.monotonic(), self.journal.identity.agent, []
        held = {task.id: task for task in self.tasks(Stage.IN_PROGRESS)}
        self._watched = {id_: seen for id_, seen in self._watched.items() if id_ in held}
        for id_, task in held.items():
            if task.lease is None or task.lease.owner == mine:
                continue
            mark = f"{task.lease.owner}/{task.attempt}/{task.lease.until}"
            seen, since = self._watched.get(id_, ("", now))
            if seen != mark:
                self._watched[id_] = (mark, now)
            elif now - since >= self._lease.total_seconds():
                try:
                    self._move("reap", task, partial(self._expired, task))
                except (ClaimLost, NoSuchTask, MalformedNote):
                    continue  # it moved on while we looked
                except Refused:  # it runs longer than our own leases, by the hub's clock
                    self._watched[id_] = (mark, now)
                    continue
                freed.append(id_)
        return tuple(freed)

    def _expired(self, seen: Task, current: Task) -> Task:
        if current.lease != seen.lease:
            raise ClaimLost(seen.id, current.lease.owner if current.lease else None)
        return moves.reap(current)

    def mine(self) -> tuple[Task, ...]:
        """The tasks in this agent's own folder: after a restart, work of an earlier life."""
        return tuple(
            task
            for task in self.tasks(Stage.IN_PROGRESS)
            if task.lease and task.lease.owner == self.journal.identity.agent
        )

    def approve(self, task: Task, signed: SignedApproval, note: Note | None = None, also: Also = NOTHING_ELSE) -> Task:
        """Publish the owner's approval; `note` is their edited text and becomes the next revision."""
        edits = {**also.edits, signed.path(): (signed.model_dump_json(indent=2) + "\n").encode("utf-8")}

        def move(current: Task) -> Task:
            edited = moves.edit(current, note) if note is not None else current
            return moves.approve(edited, revision=edited.revision)

        return self._decided("approve", task, move, Also(also.records, also.updates, edits))

    def edit(self, task: Task, note: Note, also: Also = NOTHING_ELSE) -> Task:
        """Publish the owner's own text as the next revision."""
        return self._decided("edit", task, lambda t: moves.edit(t, note), also)

    def reject(self, task: Task, *, why: str, also: Also = NOTHING_ELSE) -> Task:
        now = self.journal.clock.now()
        return self._decided("reject", task, lambda t: moves.reject(t, revision=task.revision, why=why, now=now), also)

    def acknowledge(self, task: Task, also: Also = NOTHING_ELSE) -> Task:
        now = self.journal.clock.now()
        return self._decided("acknowledge", task, lambda t: moves.acknowledge(t, revision=task.revision, now=now), also)

    def send_back(self, task: Task, *, remark: str, also: Also = NOTHING_ELSE) -> Task:
        return self._decided("send_back", task, lambda t: moves.send_back(t, remark=remark), also)

    def reopen(self, task: Task, *, because: str, also: Also = NOTHING_ELSE) -> Task:
        """Bring an approved task back. Approved once more in between, it stands as it did under another approval, which
        nobody judged: StaleRevision. Only on the very head that says so."""
        judged = self._approvals(task)

        def move(current: Task) -> Task:
            if self._approvals(task) != judged:
                raise StaleRevision(task.id, task.revision, current.revision, current.stage.value)
            return moves.reopen(current, because=because)

        return self._decided("reopen", task, move, also, exact=True)

    def finish(self, task: Task, *, result: str, also: Also = NOTHING_ELSE) -> Task:
        """Publish the receipt and the end of a task in one commit."""
        now = self.journal.clock.now()
        return self._decided("finish", task, lambda t: moves.finish(t, result=result, now=now), also)

    def write(self, verb: str, subject: str, edits: Edits, also: Also = NOTHING_ELSE) -> CommitId:
        """Publish notes that are no tasks."""
        return self.journal.publish(verb, subject, lambda _head: {**edits, **self._along(also)})

    def record(self, *records: Record) -> None:
        """Publish audit records alone."""
        self.write("record", records[0].action_type, {}, Also(records=records))

    def _fenced(self, verb: str, task: Task, move: Callable[[Task], Task], also: Also = NOTHING_ELSE) -> Task:
        """A write by the holder: whoever lost the lease gets ClaimLost, not a conflict."""
        try:
            return self._move(verb, task, move, also)
        except (NoSuchTask, MalformedNote):
            raise ClaimLost(task.id, None) from None

    def _approvals(self, task: Task) -> tuple[str, ...]:
        """Where the approvals of this revision lie at the head."""
        journal, name = self.journal, f"/{task.id}-r{task.revision}-"
        paths = journal.store.paths(journal.head, "Approvals") if journal.head else ()
        return tuple(path for path, _ in paths if name in path)

    def _decided(
        self, verb: str, task: Task, move: Callable[[Task], Task], also: Also = NOTHING_ELSE, *, exact: bool = False
    ) -> Task:
        """A decision about the task as it was shown: on any other stage or revision it says StaleRevision."""

        def shown(current: Task) -> Task:
            if (current.stage, current.revision) != (task.stage, task.revision):
                raise StaleRevision(task.id, task.revision, current.revision, current.stage.value)
            return move(current)

        return self._move(verb, task, shown, also, exact=exact)

    def _move(
        self, verb: str, task: Task, move: Callable[[Task], Task], also: Also = NOTHING_ELSE, *, exact: bool = False
    ) -> Task:
        moved = task

        def build(_head: CommitId | None) -> Edits:
            nonlocal moved
            current = self.get(task.id)
            moved = move(current)
            return self._edits(current, moved, also)

        self.journal.publish(verb, task.id, build, attempt=task.attempt if task.lease else 0, exact=exact)
        return moved

    def _edits(self, old: Task | None, new: Task, also: Also) -> Edits:
        path, content = notes.write(new)
        edits: dict[str, bytes | None] = {}
        if old is not None and layout.path_of(old) != path:
            edits[layout.path_of(old)] = None
        edits[path] = content
        return {**edits, **self._along(also)}

    def _along(self, also: Also) -> Edits:
        edits = {**also.edits, **self.journal.log_edits(also.records)}
        if also.updates:
            path = updates.path(self.journal.identity.agent)
            edits[path] = updates.add(self.journal.read(path), *also.updates)
        return edits

    def _notes(self, stages: Iterable[Stage]) -> list[Task | MalformedNote]:
        return self._at_head.notes(stages)

    @property
    def _at_head(self) -> Stages:
        return self._stages.look(self.journal.head, self.journal.where)


def _is_held(task: Task, agent: AgentId, attempt: int) -> bool:
    return task.lease is not None and (task.lease.owner, task.lease.attempt) == (agent, attempt)
