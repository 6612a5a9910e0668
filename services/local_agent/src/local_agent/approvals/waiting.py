"""*Waiting*: what waits for the owner, each draft in full, and what is on its way."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime

from starlette.responses import Response

from correspondence import read
from local_agent import ages
from local_agent.approvals.answering import Ask
from local_agent.approvals.cards import Card, card
from local_agent.approvals.leaving import leaving
from local_agent.approvals.snoozing import Snoozed
from local_agent.assemble import Local, original_finder
from local_agent.attachments import Attachments
from local_agent.effects import Ledger
from local_agent.handbook_rule import address_in
from vault_protocol import request
from vault_protocol.action import ForwardMail, MailAction
from vault_protocol.errors import MalformedNote, NoSuchTask, VaultError
from vault_protocol.task import Stage, Task

ON_A_PAGE = 20
"""Drafts in full on one page; the most urgent first."""


def waiting(ask: Ask) -> Response:
    with ask.page.vault() as (local, _):
        first = _awake(local)[0][:ON_A_PAGE]
        new = [task for task in first if local.judge.known(task) is None]
    for task in new:
        look(local, task)
    with ask.page.vault(refresh=False) as (local, trouble):
        awake, asleep, tasks = _awake(local)
        cards = [card(local, task.id) for task in awake[:ON_A_PAGE]]
        later = [(task, asleep[task.id]) for task in tasks if task.id in asleep]
        return ask.show(
            "waiting.html", cards=cards, more=len(awake) - len(cards), later=later, leaving=leaving(local),
            trouble=trouble, never=never_for, switches=switches(local),
        )  # fmt: skip


def _awake(local: Local) -> tuple[list[Task], dict[str, datetime], list[Task]]:
    """What waits and does not sleep, the most urgent first; until when the others sleep; and all."""
    tasks = sorted(local.vault.tasks(Stage.PENDING_APPROVAL), key=ages.urgency)
    snoozed = Snoozed(local.vault, local.clock)
    asleep = {str(task.id): then for task in tasks if (then := snoozed.until(task))}
    return [task for task in tasks if task.id not in asleep], asleep, tasks


def look(local: Local, task: Task, *, again: bool = False) -> None:
    """Hold a draft against its original. A mailbox may take its time: nobody is to have the vault meanwhile."""
    try:
        asks = request.read(task.note) is not None and task.stage is Stage.PENDING_APPROVAL
    except MalformedNote:
        asks = False
    if asks:
        local.judge.check(task, again=again)


def one(ask: Ask) -> Response:
    """One draft alone, with what its original is; one that was not found before is looked for again."""
    with ask.page.vault() as (local, trouble):
        task = local.vault.get(ask.id)
    look(local, task, again=True)
    with ask.page.vault(refresh=False) as (local, _):
        return alone(ask, local, trouble=trouble)


def alone(ask: Ask, local: Local, *, status: int = 200, trouble: str = "", says: str = "") -> Response:
    found = card(local, ask.id)
    return ask.show(
        "one.html", status=status, card=found, trouble=trouble, says=says, never=never_for,
        leaving=[row for row in leaving(local) if row.task.id == found.task.id], switches=switches(local),
    )  # fmt: skip


def original(ask: Ask) -> Response:
    """What the draft answers, read from the owner's own mailbox now."""
    with ask.page.vault() as (local, _):
        found = card(local, ask.id)
        settings = local.settings
    mail = found.mail
    says, letters = "", []
    wanted = mail.original.message_id if isinstance(mail, ForwardMail) else mail.in_reply_to if mail else None
    if mail is None or not wanted:
        says = "It answers no mail."
    else:
        try:
            letters = [read(raw) for raw in original_finder(ask.page.home, settings)(mail.account, wanted)]
        except VaultError as error:
            says = f"Your mailbox could not be read: {error}"
    if not letters and not says:
        says = "Your mailbox has no mail with the Message-ID that this draft answers."
    return ask.show("original.html", card=found, letters=letters, says=says)


def attached(ask: Ask) -> Response:
    """One file of a draft, as this machine keeps it; a browser saves it and runs nothing."""
    with ask.page.vault() as (local, _):
        mail, task = card(local, ask.id).mail, local.vault.get(ask.id)
        kept = Attachments(local.home.attachments)
        number = int(ask.request.path_params["number"])
        if not isinstance(mail, MailAction) or not 1 <= number <= len(mail.attachments):
            raise NoSuchTask("this draft has no such file")
        file = mail.attachments[number - 1]
        if kept.origin(file, task=task.id) is None:
            raise NoSuchTask(f"{file.name} is not kept on this machine for this task")
        content = kept.read(file)
    headers = {
        "content-disposition": f'attachment; filename="{file.sha256[:16]}.bin"',
        "content-security-policy": "default-src 'none'; sandbox",
    }
    return Response(content, media_type="application/octet-stream", headers=headers)


def never_for(found: Card) -> str:
    """Whom a rule would be about; empty when it is not sure."""
    return address_in(found.task.note.front.words("from"))


def switches(local: Local) -> dict[str, object]:
    with closing(Ledger(local.home.ledger)) as ledger:
        return {"paused": ledger.paused() or "", "dry_run": local.home.settings().dry_run}
