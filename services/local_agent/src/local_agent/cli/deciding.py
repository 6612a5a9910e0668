"""`reject`, `again`, `ack`: the decisions that need no signature."""

from __future__ import annotations

from typing import Annotated

import typer

from local_agent.cli.session import HomeOption, IdArgument, JsonOption, Session
from local_agent.decisions import How
from vault_protocol.task import Task


def reject(
    id_: IdArgument,
    why: Annotated[str, typer.Option("--why", help="The reason; the agents learn from it.")] = "",
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """Turn a draft down."""
    session = Session(home, json_)
    local = session.decide()
    task = local.desk.reject(local.vault.get(id_), why=why, how=How.COMMAND)
    _tell(session, task, f"Rejected {task.id}. If you change your mind: countersign again {task.id[:6]}")


def again(
    id_: IdArgument,
    remark: Annotated[str, typer.Option("--remark", help="What should be different.")],
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """Ask for another draft, also of something rejected or set aside."""
    session = Session(home, json_)
    local = session.decide()
    task = local.desk.send_back(local.vault.get(id_), remark=remark, how=How.COMMAND)
    _tell(session, task, f"{task.id} went back to be drafted anew.")


def ack(id_: IdArgument, home: HomeOption = None, json_: JsonOption = False) -> None:
    """End a note that asks for nothing to be done."""
    session = Session(home, json_)
    local = session.decide()
    task = local.desk.acknowledge(local.vault.get(id_), how=How.COMMAND)
    _tell(session, task, f"{task.id} is done.")


def _tell(session: Session, task: Task, sentence: str) -> None:
    session.poke()
    session.say(sentence, "green")
    session.answer({"id": task.id, "revision": task.revision, "stage": task.stage.value})
