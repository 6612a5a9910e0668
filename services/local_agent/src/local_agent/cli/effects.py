"""`undo` and `resolve`: the owner's word on an effect that has not begun, or that nobody knows the end of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Annotated

import typer
from pydantic import ValidationError

from local_agent.assemble import Local
from local_agent.cli.session import HomeOption, IdArgument, JsonOption, Session
from local_agent.effects import Ledger
from local_agent.home import LOCAL
from vault_protocol.approval import SignedApproval
from vault_protocol.audit import Record
from vault_protocol.errors import HubUnreachable, IllegalMove, StaleRevision, VaultError
from vault_protocol.task import Stage, Task
from vault_protocol.vault import Also


class TooLate(VaultError):
    """The effect began, and what has begun is not taken back."""


def undo(id_: IdArgument, home: HomeOption = None, json_: JsonOption = False) -> None:
    """Take an approval back, as long as nothing was started under it."""
    session = Session(home, json_)
    local = session.decide()
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
        raise TooLate(f"it is too late for {task.id}: its mail is on its way or has left (`countersign log`)")
    record = Record.of(
        "approval.taken_back", actor=LOCAL, target=task.id, at=local.clock.now(), result="published",
        parameters={"revision": task.revision, "approvals": [approval.id for approval in mine]},
        approval_status="taken back", approved_by=local.settings.owner,
    )  # fmt: skip
    stage = _reopen(session, local, task, "undone by the owner", record)
    session.say(f"Taken back: nothing is sent for {task.id}.", "green")
    session.answer({"id": task.id, "revision": task.revision, "stage": stage.value})


def resolve(
    id_: IdArgument,
    sent: Annotated[
        bool | None, typer.Option("--sent/--not-sent", help="Whether it was sent, as you found out.")
    ] = None,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """Say what became of an effect when looking for it did not tell."""
    session = Session(home, json_)
    if sent is None:
        raise VaultError("say what you found out: --sent or --not-sent")
    local = session.decide()
    task = local.vault.get(id_)
    with closing(Ledger(local.home.ledger)) as ledger:
        unsure = [effect for effect in ledger.unknown() if effect.task == task.id]
        if not unsure:
            raise VaultError(f"nothing is unsure about {task.id}; see `countersign status`")
        for effect in unsure:
            ledger.resolve(effect.id, happened=sent, now=local.clock.now())
    record = Record.of(
        "effect.resolved", actor=LOCAL, target=task.id, at=local.clock.now(), result="sent" if sent else "not sent",
        parameters={"effects": [effect.id for effect in unsure], "by": "the owner's word"},
    )  # fmt: skip
    if sent:
        stage = task.stage
        publish_when_possible(session, local, record)
        session.poke()
        session.say(f"Noted: {task.id} was sent. The service finishes it.", "green")
    else:
        stage = _reopen(session, local, task, "not sent, by the owner's word", record)
        session.say(f"Noted: {task.id} was not sent. It waits for your decision again.", "green")
    session.answer({"id": task.id, "stage": stage.value, "sent": sent})


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


def publish_when_possible(session: Session, local: Local, record: Record) -> None:
    """The act stands in the ledger already; its record waits for nobody."""
    try:
        local.vault.record(record)
    except HubUnreachable:
        session.warn("The hub does not answer: this is done, but it is not in the audit log.")


def _reopen(session: Session, local: Local, task: Task, because: str, record: Record) -> Stage:
    """Back to the owner; the service may have brought it there first, and does so later when the hub is away."""
    try:
        stage = local.vault.reopen(task, because=because, also=Also(records=[record])).stage
    except (IllegalMove, StaleRevision):
        stage = local.vault.get(task.id).stage
        publish_when_possible(session, local, record)
    except HubUnreachable:
        session.warn("The hub does not answer: this is done, and the service moves the note when the hub is back.")
        stage = task.stage
    session.poke()
    return stage
