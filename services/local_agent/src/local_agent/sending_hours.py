"""When what the owner approves leaves: at once, at a time that was named, or in the owner's working hours."""

from __future__ import annotations

from datetime import datetime

from drafting import handbook as handbooks
from drafting.letter import Account
from local_agent.kinds import KINDS
from vault_protocol import layout
from vault_protocol.action import Action
from vault_protocol.journal import Journal
from vault_protocol.task import Task


def waits(journal: Journal, task: Task, action: Action, now: datetime) -> datetime | None:
    """When it would leave if it were approved now for no time of its own; None when it would leave at once."""
    then = leaves(journal, task, action, now)
    return then if then > now else None


def leaves(journal: Journal, task: Task, action: Action, moment: datetime) -> datetime:
    """`moment`, or when work begins next: the Handbook as it holds for the account and mailbox decides. What reaches no
    person waits for nothing."""
    if not KINDS[action.type].keeps_hours:
        return moment
    text = (journal.read(layout.HANDBOOK) or b"").decode("utf-8", "replace")
    account: Account = "personal" if task.note.front.words("account") == "personal" else "business"
    mailbox = task.note.front.words("mailbox")
    return handbooks.read(handbooks.text_for(text, account, mailbox)).leaves(moment)
