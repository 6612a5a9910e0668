"""Taking an approval back, as long as nothing was started under it. Every way to do so comes here."""

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
class Reopened:
    """Where the note is now. `hub` says why it is not back with the owner yet; the service brings it there later."""

    task: Task
    stage: Stage
    hub: str = ""


def take_back(local: Local, id_: str) -> Reopened:
    """Spend every approval of this machine for the task. After that nothing starts under them, whatever dies.

    Raises TooLate, IllegalMove for what is not approved, NoSuchTask, VaultError for another machine's.
    """
    task = local.vault.get(id_)
    if task.stage is not Stage.APPROVED:
        raise IllegalMove(f"task {task.id} is in {task.stage.value}; only an approval that has not left is taken back")
    given = [signed.approval for signed in approvals(local, task) if signed.approval.revision == task.revision]
    mine = [approval for approval in given if approval.executor == local.executor]
    if not mine:
        raise VaultError(f"task {task.id} was approved on another machine; take it back there")
    with closing(Ledger(local.home.ledger)) as ledger:
        spent = [ledger.revoke(approval, now=local.clock.now()) for approval in mine]
    if not all(spent):
        raise TooLate(f"it is too late for {task.id}: it is on its way or has left (`countersign log`)")
    record = Record.of(
        "approval.taken_back", actor=LOCAL, target=task.id, at=local.clock.now(), result="published",
        parameters={"revision": task.revision, "approvals": [approval.id for approval in mine]},
        approval_status="taken back", approved_by=local.settings.owner,
    )  # fmt: skip
    return reopen(local, task, "undone by the owner", record)


def reopen(local: Local, task: Task, because: str, record: Record) -> Reopened:
    """Back to the owner; the service may have brought it there first, and does so later when the hub is away."""
    try:
        return Reopened(task, local.vault.reopen(task, because=because, also=Also(records=[record])).stage)
    except (IllegalMove, StaleRevision):
        stage = local.vault.get(task.id).stage
        try:
            local.vault.record(record)
        except HubUnreachable as error:
            return Reopened(task, stage, str(error))
        return Reopened(task, stage)
    except HubUnreachable as error:
        return Reopened(task, task.stage, str(error))


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
