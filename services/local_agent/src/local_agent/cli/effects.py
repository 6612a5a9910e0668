"""`undo` and `resolve`: the owner's word on an effect that has not begun, or that nobody knows the end of."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from local_agent.cli.session import HomeOption, IdArgument, JsonOption, Session
from local_agent.effects import Ledger
from local_agent.home import LOCAL
from local_agent.taking_back import TakenBack, publish_when_possible, reopen, take_back
from vault_protocol.audit import Record
from vault_protocol.errors import VaultError
from vault_protocol.task import Stage


def undo(id_: IdArgument, home: HomeOption = None, json_: JsonOption = False) -> None:
    """Take an approval back, as long as nothing was started under it."""
    session = Session(home, json_)
    local = session.decide()
    task = local.vault.get(id_)
    stage = _told(session, take_back(local, task))
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
        if trouble := publish_when_possible(local, record):
            session.warn(trouble)
        session.poke()
        session.say(f"Noted: {task.id} was sent. The service finishes it.", "green")
    else:
        stage = _told(session, reopen(local, task, "not sent, by the owner's word", record))
        session.say(f"Noted: {task.id} was not sent. It waits for your decision again.", "green")
    session.answer({"id": task.id, "stage": stage.value, "sent": sent})


def _told(session: Session, done: TakenBack) -> Stage:
    if done.trouble:
        session.warn(done.trouble)
    session.poke()
    return done.stage
