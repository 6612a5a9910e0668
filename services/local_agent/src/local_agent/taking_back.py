"""Taking an approval back, as long as nothing was started under it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from pydantic import ValidationError

from local_agent.assemble import Local
from local_agent.effects import Ledger
from local_agent.home import LOCAL
from vault_protocol.approval import SignedApproval
from vault_protocol.audit import Record
from vault_protocol.errors import HubUnreachable, IllegalMove, StaleRevision, VaultError
from vault_protocol.task import Stage, Task
from vault_protocol.vault import Also


class TooLate(VaultError):
    """The effect began, and what has begun is not taken back."""


@dataclass(frozen=True)
class TakenBack:
    """Where the task is now; `trouble` is what the hub, being away, has not heard yet."""

    stage: Stage
    trouble: str = ""


def take_back(local: Local, task: Task) -> TakenBack:
    """Spend the approvals of this revision. Raises IllegalMove, TooLate, VaultError when it was given elsewhere."""
    if task.stage is not Stage.APPROVED:
        raise IllegalMove(f"task {task.id} is in {task.stage.value}; only an approval that has not left is taken back")
    given = [signed.approval for signed in approvals(local, task) if signed.approval.revision == task.revision]
    mine = [approval for approval in given if approval.executor == local.executor]
    if not mine:
        raise VaultError(f"task {task.id} was approved on another machine; take it back there")
    with closing(Ledger(local.home.ledger)) as ledger:
        spent = [ledger.revoke(approval, now=local.clock.now()) for approval in mine]
    if not all(spent):
        raise TooLate(f"it is too late for {task.id}: its mail is on its way or has left (`countersign log`)")
    record = Record.of(
        "approval.taken_back", actor=LOCAL, target=task.id, at=local.clock.now(), result="published",
        parameters={"revision": task.revision, "approvals": [approval.id for approval in mine]},
        approval_status="taken back", approved_by=local.settings.owner,
    )  # fmt: skip
    return reopen(local, task, "undone by the owner", record)


def approvals(local: Local, task: Task) -> Iterator[SignedApproval]:
    """What the owner signed for this task, whatever the machine and revision."""
    journal = local.vault.journal
    if journal.head is None:
        return
    for path, _ in journal.store.paths(journal.head, "Approvals"):
        if re.search(rf"/{task.id}-r[0-9]+-[0-9a-f]{{8}}\.json$", path):
            try:
                yield SignedApproval.model_validate_json(journal.read(path) or b"")
            except ValidationError:
                continue


def reopen(local: Local, task: Task, because: str, record: Record) -> TakenBack:
    """Back to the owner; the service may have brought it there first, and does so later when the hub is away."""
    try:
        return TakenBack(local.vault.reopen(task, because=because, also=Also(records=[record])).stage)
    except (IllegalMove, StaleRevision):
        return TakenBack(local.vault.get(task.id).stage, publish_when_possible(local, record))
    except HubUnreachable:
        return TakenBack(
            task.stage, "The hub does not answer: this is done, and the service moves the note when the hub is back."
        )


def publish_when_possible(local: Local, record: Record) -> str:
    """The act stands in the ledger already; its record waits for nobody. What the owner has to know, if anything."""
    try:
        local.vault.record(record)
    except HubUnreachable:
        return "The hub does not answer: this is done, but it is not in the audit log."
    return ""
