"""What is approved and has not ended: whether it can still be taken back, and until when for sure."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from local_agent.assemble import Local
from local_agent.effects import Ledger
from local_agent.effects.ledger import State
from local_agent.taking_back import approvals
from vault_protocol.canonical import moment
from vault_protocol.task import Stage, Task

SAID = {
    State.STARTED: "on its way, it cannot be taken back",
    State.CONFIRMED: "done; its receipt is being published",
    State.UNKNOWN: "nobody knows whether it happened: look for it, then `countersign resolve`",
}


@dataclass(frozen=True)
class Leaving:
    """`begins` is when the undo window ends. `undo`: nothing was started under the approval yet."""

    task: Task
    begins: datetime
    undo: bool
    waits: bool
    says: str
    today: bool = True
    """Whether it begins on the owner's own day: then the time alone says when."""


def leaving(local: Local) -> tuple[Leaving, ...]:
    now, told = local.clock.now(), _told(local)
    rows = []
    with closing(Ledger(local.home.ledger)) as ledger:
        for task in local.vault.tasks(Stage.APPROVED):
            mine = [
                signed.approval
                for signed in approvals(local, task)
                if (signed.approval.revision, signed.approval.executor) == (task.revision, local.executor)
            ]
            begins = max((moment(approval.not_before) for approval in mine), default=now)
            said = [SAID[effect.state] for effect in ledger.of_task(task.id) if effect.state in SAID]
            says = said[-1] if said else told.get(task.id, "")
            today = begins.astimezone().date() == now.astimezone().date()
            rows.append(Leaving(task, begins, bool(mine) and not said, begins > now, says, today))
    return tuple(sorted(rows, key=lambda row: (row.begins, row.task.id), reverse=True))


def _told(local: Local) -> dict[str, str]:
    """What the service says each one waits for."""
    try:
        waiting = json.loads(local.home.status.read_text(encoding="utf-8")).get("waiting", {})
    except (OSError, ValueError, AttributeError):
        return {}
    return {str(task): str(why) for task, why in waiting.items()} if isinstance(waiting, dict) else {}
