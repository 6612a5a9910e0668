"""What stands between a draft and its approval, for every way in which the owner approves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from local_agent.assemble import Local
from local_agent.decisions import How
from local_agent.drafts import Draft
from vault_protocol.approval import Sign
from vault_protocol.errors import HubUnreachable, IllegalMove, VaultError
from vault_protocol.task import Stage, Task


class NotApproved(VaultError):
    """Something stands against this approval; the message says what, and what to do."""


class Kind(Enum):
    """How an objection can be answered."""

    MISMATCH = auto()
    """Only alone, and only in so many words: the original says otherwise."""
    UNCHECKED = auto()
    """Alone: the owner saw that nobody could hold it against its original."""


@dataclass(frozen=True)
class Objection:
    """Why a draft is not approved just like that."""

    kind: Kind
    reason: str


def waits(draft: Draft) -> None:
    """Raises IllegalMove or NotApproved for what does not wait for an approval."""
    task = draft.task
    if task.stage is not Stage.PENDING_APPROVAL:
        raise IllegalMove(f"task {task.id} is in {task.stage.value}, it does not wait for your approval")
    if draft.fault:
        raise NotApproved(f"the note of {task.id} does not hold: {draft.fault}")
    if draft.request is None:
        raise NotApproved(f"task {task.id} asks for nothing to be done; `countersign ack {task.id[:6]}` ends it")


def objection(draft: Draft, *, alone: bool, despite_mismatch: bool = False) -> Objection | None:
    """The first thing that stands against it; None when it may be signed."""
    check = draft.check
    if check is not None and check.mismatches and not (despite_mismatch and alone):
        return Objection(Kind.MISMATCH, check.mismatches[0])
    if not alone and (check is None or not check.original):
        return Objection(Kind.UNCHECKED, check.reason if check else "it was not checked")
    return None


def approve_all(
    local: Local, drafts: Sequence[Draft], sign: Sign, how: How, at: datetime | None = None, *, at_once: bool = False
) -> tuple[list[Task], list[tuple[Task, str]]]:
    """Sign and publish each, for now or for the time `at`; `at_once`: also outside of working hours. What was approved,
    and what could not be with the reason. Raises HubUnreachable."""
    approved: list[Task] = []
    failed: list[tuple[Task, str]] = []
    for draft in drafts:
        note = draft.edit.note if draft.edit else None
        try:
            approved.append(local.desk.approve(draft.task, sign=sign, how=how, note=note, at=at, at_once=at_once))
        except HubUnreachable:
            raise
        except VaultError as error:
            failed.append((draft.task, str(error)))
    return approved, failed
