"""The table of moves, and each move as a function: it checks the fence and returns the task as it will stand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from .errors import ClaimLost, IllegalMove, StaleRevision
from .note import Note
from .task import AgentId, Lease, Stage, Task

S = Stage

MOVES: Mapping[Stage | None, frozenset[Stage]] = {
    None: frozenset({S.NEEDS_ACTION, S.QUARANTINE}),
    S.NEEDS_ACTION: frozenset({S.IN_PROGRESS, S.QUARANTINE, S.DONE}),
    S.IN_PROGRESS: frozenset({S.IN_PROGRESS, S.NEEDS_ACTION, S.PENDING_APPROVAL, S.QUARANTINE, S.DONE}),
    S.PENDING_APPROVAL: frozenset({S.PENDING_APPROVAL, S.APPROVED, S.REJECTED, S.NEEDS_ACTION, S.QUARANTINE, S.DONE}),
    S.APPROVED: frozenset({S.PENDING_APPROVAL, S.DONE}),
    S.REJECTED: frozenset({S.NEEDS_ACTION}),
    S.DONE: frozenset(),
    S.QUARANTINE: frozenset({S.NEEDS_ACTION, S.DONE}),
}
"""Where a task may go from where it is; `None` is outside the vault. In_Progress to itself renews a lease,
Pending_Approval to itself is the owner's own next revision. Who may make each move stands in `zones`."""


def claim(task: Task, *, agent: AgentId, now: datetime, ttl: timedelta) -> Task:
    """Take a waiting task: a new attempt, fenced against every earlier one."""
    _from(task, S.NEEDS_ACTION)
    attempt = task.attempt + 1
    lease = Lease(owner=agent, attempt=attempt, until=now + ttl)
    return task.evolve(stage=S.IN_PROGRESS, attempt=attempt, lease=lease)


def renew(task: Task, *, agent: AgentId, attempt: int, now: datetime, ttl: timedelta) -> Task:
    """Keep a task for one more lease."""
    held = _held(task, agent, attempt)
    return task.evolve(lease=Lease(owner=held.owner, attempt=attempt, until=now + ttl))


def release(task: Task, *, agent: AgentId, attempt: int, waiting_for: str | None = None) -> Task:
    """Give a task back; `waiting_for` says in the note why (a model that is down)."""
    _held(task, agent, attempt)
    return task.evolve(stage=S.NEEDS_ACTION, lease=None, note=task.note.put(waiting_for=waiting_for))


def reap(task: Task) -> Task:
    """Free a task whose lease ran out. The observer has waited; its old owner's writes are fenced off."""
    _from(task, S.IN_PROGRESS)
    return task.evolve(stage=S.NEEDS_ACTION, lease=None)


def submit(task: Task, note: Note, *, agent: AgentId, attempt: int) -> Task:
    """Put a draft up for the owner as the next revision."""
    _held(task, agent, attempt)
    note = note.put(waiting_for=None)
    return task.evolve(stage=S.PENDING_APPROVAL, lease=None, revision=task.revision + 1, note=note)


def close(task: Task, note: Note, *, agent: AgentId, attempt: int, now: datetime) -> Task:
    """End a task that never had an action (a newsletter)."""
    _held(task, agent, attempt)
    if task.revision or "action" in note.front:
        raise IllegalMove(f"task {task.id} has an action: only the owner ends it")
    return task.evolve(stage=S.DONE, lease=None, finished=now, note=note.put(waiting_for=None))


def edit(task: Task, note: Note) -> Task:
    """The owner's own text as the next revision."""
    _from(task, S.PENDING_APPROVAL)
    return task.evolve(revision=task.revision + 1, note=note.put(edited_by="owner"))


def approve(task: Task, *, revision: int) -> Task:
    """The owner countersigned this revision; the approval lies beside it."""
    _shown(task, revision)
    return task.evolve(stage=S.APPROVED, note=task.note.put(remark=None))


def reject(task: Task, *, revision: int, why: str, now: datetime) -> Task:
    """The owner said no. It ends here unless they change their mind."""
    _shown(task, revision)
    return task.evolve(stage=S.REJECTED, finished=now, note=task.note.put(rejected_because=why or None))


def acknowledge(task: Task, *, revision: int, now: datetime) -> Task:
    """The owner has seen a note that asks for nothing to be done."""
    _shown(task, revision)
    if task.has_action:
        raise IllegalMove(f"task {task.id} carries an action: approve or reject it")
    return task.evolve(stage=S.DONE, finished=now)


def send_back(task: Task, *, remark: str) -> Task:
    """Ask for another draft. The revision stands: the next submission carries the next number."""
    _from(task, S.PENDING_APPROVAL, S.REJECTED, S.QUARANTINE)
    note = task.note.put(remark=remark or None, rejected_because=None)
    return task.evolve(stage=S.NEEDS_ACTION, finished=None, note=note)


def reopen(task: Task, *, because: str) -> Task:
    """Bring an approved task back to the owner: its approval no longer holds, or its effect needs a decision."""
    _from(task, S.APPROVED)
    return task.evolve(stage=S.PENDING_APPROVAL, note=task.note.put(reopened_because=because))


def finish(task: Task, *, result: str, now: datetime) -> Task:
    """The effect is confirmed and its receipt is in this very commit."""
    _from(task, S.APPROVED)
    return task.evolve(stage=S.DONE, finished=now, note=task.note.put(result=result, reopened_because=None))


def quarantine(task: Task, *, reason: str, agent: AgentId, held: int | None) -> Task:
    """Set a poisoned task aside with the reason; the others go on. `held`: the attempt under which this agent
    holds it, None for a task nobody holds."""
    if held is not None or task.lease is not None:
        _held(task, agent, held or 0)
    if S.QUARANTINE not in MOVES[task.stage]:
        raise IllegalMove(f"task {task.id} cannot go from {task.stage.value} to Quarantine")
    return task.evolve(stage=S.QUARANTINE, lease=None, note=task.note.put(quarantined_because=reason))


def _from(task: Task, *stages: Stage) -> None:
    if task.stage not in stages:
        places = " or ".join(stage.value for stage in stages)
        raise IllegalMove(f"task {task.id} is in {task.stage.value}, this move starts in {places}")


def _held(task: Task, agent: AgentId, attempt: int) -> Lease:
    lease = task.lease
    if lease is None or task.stage is not S.IN_PROGRESS or (lease.owner, lease.attempt) != (agent, attempt):
        raise ClaimLost(task.id, lease.owner if lease else None)
    return lease


def _shown(task: Task, revision: int) -> None:
    _from(task, S.PENDING_APPROVAL)
    if task.revision != revision:
        raise StaleRevision(task.id, revision, task.revision)
